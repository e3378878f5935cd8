"""Lines that only mean something on the machine which exported them: folders of conda's builds, packages of Windows."""

from __future__ import annotations

import re

from ..errors import InvalidInput
from .environment import EnvironmentSpec, canonical_name
from .environment_packages import ARCHIVE, parse_conda_package
from .parse import replace

_LOCAL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?)\s*@\s*(file:[^\s;]+)(.*)")
_WINDOWS = """
console-shortcut console-shortcut-miniconda icc-rt menuinst msys2-conda-epoch powershell-shortcut
powershell-shortcut-miniconda pypiwin32 pywin32 pywinpty ucrt vc vc14-runtime vcomp14 vs2015-runtime vs2017-win-64
vs2019-win-64 wincertstore windows-curses winkerberos winpty
"""
_FOR_WINDOWS = frozenset(_WINDOWS.split())


def for_here(spec: EnvironmentSpec, *, ignore_local: bool = False, ignore_windows: bool = False) -> EnvironmentSpec:
    """The definition, where nothing of it is of another machine; else an error that lists all of that at once.

    Args:
        spec: What was read.
        ignore_local: Take the bare name of what points at a folder where conda built it.
        ignore_windows: Leave out what is for Windows alone, and builds of conda packages with it.

    Raises:
        InvalidInput: Lines point at such folders, or are for Windows.
    """
    pip, conda = list(spec.python.pip_packages), list(spec.python.conda_packages)
    local = [match[1] for line in pip if (match := _built_elsewhere(line))]
    if local and not ignore_local:
        raise InvalidInput(
            f"environment {spec.name}: {_counted(local, 'points at a folder', 'point at folders')} of the machine that "
            "the list is from; it was written by pip freeze inside conda",
            hint="Write the list with `pip list --format=freeze`, or take the names alone: --ignore-local "
            "(ignore_local=True in the SDK).",
            field="pip packages",
            packages=local,
        )
    pip = [f"{match[1]}{match[3]}" if (match := _built_elsewhere(line)) else line for line in pip]
    windows = [line for line in conda if _is_windows(parse_conda_package(line, where=spec.name).name)]
    windows += [line for line in pip if ";" not in line and _is_windows(_name(line))]
    if windows and not ignore_windows:
        raise InvalidInput(
            f"environment {spec.name}: {_counted([_name(line) for line in windows], 'is', 'are')} for Windows alone, "
            "and services run on Linux",
            hint="Export with `conda env export --from-history`, or leave them out, and builds with them: "
            "--ignore-windows (ignore_windows=True in the SDK).",
            field="conda packages",
            packages=windows,
        )
    if windows:
        conda = [_without_build(line) for line in conda if line not in windows]
        pip = [line for line in pip if line not in windows]
    return replace(spec, python=replace(spec.python, pip_packages=pip, conda_packages=conda))


def _built_elsewhere(line: str) -> re.Match[str] | None:
    match = _LOCAL.match(line)
    return match if match and not ARCHIVE.search(match[2]) else None


def _is_windows(name: str) -> bool:
    return canonical_name(name) in _FOR_WINDOWS or canonical_name(name).startswith("m2w64-")


def _name(line: str) -> str:
    match = re.match(r"(?:[^\s:]+::)?([A-Za-z0-9_][A-Za-z0-9._-]*)", line)
    return match[1] if match else ""


def _without_build(line: str) -> str:
    package = parse_conda_package(line, where="")
    if not package.build:
        return line
    channel = f"{package.channel}::" if package.channel else ""
    return f"{channel}{package.name}{package.version}"


def _counted(names: list[str], one: str, many: str) -> str:
    return f"{', '.join(names)} {one if len(names) == 1 else many}"

"""Conda and pip packages of an environment, as a list that can be edited (spec/surface.md sec. 2.13)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...spec.environment import PythonSpec, canonical_name
from ...spec.environment_conda import conda_document, conda_from_value, conda_text
from ...spec.environment_files import read_conda_file
from ...spec.environment_requirements import requirements_from_text
from ...spec.parse import replace
from ..exceptions import UserErrorException, as_sdk_errors

RUNNING_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""What an environment gets that names no Python: a model pickled here loads there."""

_SERVING = "azureml-defaults"
_NAME = re.compile(r"(?:[^\s:]+::)?([A-Za-z0-9][A-Za-z0-9._-]*)")


class CondaDependencies:
    """The packages of an environment.

    Args:
        conda_dependencies_file_path: A conda YAML file to start from; None starts with the running Python and
            ``azureml-defaults`` (which is met by the scoring server, never installed).
        _underlying_structure: The content of such a file.

    Raises:
        UserErrorException: The file is missing or wrong.
    """

    DEFAULT_NUMBER_OF_CONDA_PACKAGES = 0
    DEFAULT_NUMBER_OF_PIP_PACKAGES = 0

    @as_sdk_errors(UserErrorException)
    def __init__(
        self,
        conda_dependencies_file_path: str | None = None,
        _underlying_structure: dict[str, Any] | None = None,
    ) -> None:
        if conda_dependencies_file_path is not None:
            self._python = read_conda_file(conda_dependencies_file_path).python
        elif _underlying_structure is not None:
            self._python, _ = conda_from_value(_underlying_structure, where="conda dependencies", base=Path.cwd())
        else:
            self._python = PythonSpec(
                channels=["anaconda", "conda-forge"],
                conda_packages=[f"python={RUNNING_PYTHON}"],
                pip_packages=[_SERVING],
            )

    @classmethod
    def _of(cls, python: PythonSpec) -> CondaDependencies:
        made = cls.__new__(cls)
        made._python = python
        return made

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def create(
        pip_indexurl: str | None = None,
        pip_packages: Iterable[str] | None = None,
        conda_packages: Iterable[str] | None = None,
        python_version: str = RUNNING_PYTHON,
        pin_sdk_version: bool = True,
    ) -> CondaDependencies:
        """Python, ``azureml-defaults`` and the given packages.

        Args:
            pip_indexurl: Package index for pip.
            pip_packages: Requirement lines.
            conda_packages: conda specs such as ``numpy=1.19``.
            python_version: ``3.11`` or more exact; the running Python's by default.
            pin_sdk_version: Does nothing: there is no SDK to pin.

        Raises:
            UserErrorException: A line cannot be understood.
        """
        made = CondaDependencies()
        made.set_python_version(python_version)
        if pip_indexurl:
            made.set_pip_index_url(pip_indexurl)
        for package in conda_packages or ():
            made.add_conda_package(package)
        for package in pip_packages or ():
            made.add_pip_package(package)
        return made

    def add_channel(self, channel: str) -> None:
        """Add a channel, at the end."""
        if channel not in self._python.channels:
            self._set(channels=[*self._python.channels, channel])

    def remove_channel(self, channel: str) -> None:
        """Remove a channel; one that is not there is ignored."""
        self._set(channels=[one for one in self._python.channels if one != channel])

    def add_conda_package(self, conda_package: str) -> None:
        """Add a conda spec, in the place of one of the same name.

        Raises:
            UserErrorException: It cannot be understood.
        """
        kept = [one for one in self._python.conda_packages if _name(one) != _name(conda_package)]
        self._set(conda_packages=[*kept, conda_package])

    def remove_conda_package(self, conda_package: str) -> None:
        """Remove a conda package by name or by its whole spec."""
        self._set(conda_packages=[one for one in self._python.conda_packages if not _same(one, conda_package)])

    def add_pip_package(self, pip_package: str) -> None:
        """Add a requirement line, in the place of one of the same name.

        Raises:
            UserErrorException: It cannot be understood.
        """
        kept = [one for one in self._python.pip_packages if one.startswith("-") or _name(one) != _name(pip_package)]
        self._set(pip_packages=[*kept, pip_package])

    def remove_pip_package(self, pip_package: str) -> None:
        """Remove a pip package by name or by its whole line."""
        lines = self._python.pip_packages
        self._set(pip_packages=[one for one in lines if one.startswith("-") or not _same(one, pip_package)])

    def set_pip_option(self, pip_option: str) -> None:
        """Add a pip line such as ``--extra-index-url URL``; one of the same name is kept beside it."""
        if pip_option not in self._python.pip_packages:
            options = [*self.pip_options, pip_option]
            self._set(pip_packages=[*options, *self.pip_packages])

    def remove_pip_option(self, pip_option: str) -> None:
        """Remove pip lines that are this option, or start with its name."""
        wanted = pip_option.split()[0]
        self._set(
            pip_packages=[one for one in self._python.pip_packages if one != pip_option and one.split()[0] != wanted]
        )

    def set_pip_index_url(self, index_url: str) -> None:
        """Use this package index in place of the configured one."""
        self.remove_pip_option("--index-url")
        self.set_pip_option(index_url if index_url.startswith("-") else f"--index-url {index_url}")

    @as_sdk_errors(UserErrorException)
    def set_pip_requirements(self, pip_requirements: Iterable[str]) -> None:
        """Replace all pip packages by these lines; options stay."""
        text = "\n".join(pip_requirements)
        lines = requirements_from_text(text, where="pip requirements", base=Path.cwd())
        self._set(pip_packages=[*self.pip_options, *lines])

    def set_python_version(self, version: str) -> None:
        """Replace the ``python=`` entry."""
        kept = [one for one in self._python.conda_packages if _name(one) != "python"]
        self._set(conda_packages=[f"python={version}", *kept])

    def get_python_version(self) -> str | None:
        """What ``python=`` asks for; None when nothing does."""
        for one in self._python.conda_packages:
            match = re.match(r"(?:[^\s:]+::)?python\s*={1,2}\s*([^\s=]+)", one)
            if match:
                return match[1]
        return None

    def add_tensorflow_conda_package(self, core_type: str = "cpu", version: str | None = None) -> None:
        """Add TensorFlow from conda, for ``cpu`` or ``gpu``."""
        self.add_conda_package(_core("tensorflow", core_type) + (f"={version}" if version else ""))

    def add_tensorflow_pip_package(self, core_type: str = "cpu", version: str | None = None) -> None:
        """Add TensorFlow from pip, for ``cpu`` or ``gpu``."""
        self.add_pip_package(_core("tensorflow", core_type) + (f"=={version}" if version else ""))

    def add_cntk_package(self, core_type: str = "cpu") -> None:
        """Add CNTK from pip, for ``cpu`` or ``gpu``."""
        self.add_pip_package(_core("cntk", core_type))

    @property
    def conda_channels(self) -> Iterator[str]:
        """Channels, in order."""
        return iter(self._python.channels)

    @property
    def conda_packages(self) -> Iterator[str]:
        """conda specs, in order, Python among them."""
        return iter(self._python.conda_packages)

    @property
    def pip_packages(self) -> Iterator[str]:
        """Requirement lines, in order, without options."""
        return (one for one in self._python.pip_packages if not one.startswith("-"))

    @property
    def pip_options(self) -> Iterator[str]:
        """pip's option lines, in order."""
        return (one for one in self._python.pip_packages if one.startswith("-"))

    def as_dict(self) -> dict[str, Any]:
        """The conda YAML's content."""
        return conda_document(self._python)

    def serialize_to_string(self) -> str:
        """The conda YAML's text."""
        return conda_text(self._python)

    def save(self, path: str | None = None) -> str:
        """Write the conda YAML, by default ``conda_dependencies.yml``; gives the path."""
        target = Path(path or "conda_dependencies.yml")
        target.write_text(self.serialize_to_string(), encoding="utf-8")
        return str(target)

    def save_to_file(self, base_directory: str, conda_file_path: str | None = None) -> str:
        """Write the conda YAML below a folder; gives the path relative to it."""
        relative = conda_file_path or "conda_dependencies.yml"
        target = Path(base_directory, relative)
        target.parent.mkdir(parents=True, exist_ok=True)
        self.save(str(target))
        return relative

    def get_default_number_of_packages(self) -> int:
        """How many packages are there before any is added."""
        return self.DEFAULT_NUMBER_OF_CONDA_PACKAGES + self.DEFAULT_NUMBER_OF_PIP_PACKAGES

    @staticmethod
    def merge_requirements(requirements: Iterable[str]) -> list[str]:
        """One line for each package: version bounds of the same package are joined."""
        from packaging.requirements import Requirement

        merged: dict[str, Requirement] = {}
        for line in requirements:
            one = Requirement(line)
            known = merged.setdefault(canonical_name(one.name), one)
            known.specifier &= one.specifier
            known.extras |= one.extras
        return [str(one) for one in merged.values()]

    @staticmethod
    def sdk_origin_url() -> str:
        """SDK v1's package index: there is none here."""
        return ""

    def __repr__(self) -> str:
        return f"CondaDependencies({self.as_dict()})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CondaDependencies) and self._python == other._python

    __hash__ = None  # type: ignore[assignment]

    @as_sdk_errors(UserErrorException)
    def _set(self, **changes: Any) -> None:
        changed = replace(self._python, **changes)
        conda_from_value(conda_document(changed), where="conda dependencies", base=Path.cwd())  # is every line right?
        self._python = changed


def _name(line: str) -> str:
    match = _NAME.match(line.strip())
    return canonical_name(match[1]) if match else line.strip()


def _same(line: str, wanted: str) -> bool:
    return line == wanted or _name(line) == _name(wanted)


def _core(name: str, core_type: str) -> str:
    if core_type not in ("cpu", "gpu"):
        raise UserErrorException(f"core_type {core_type!r} is not known.", hint="Known: 'cpu', 'gpu'.")
    return name if core_type == "cpu" else f"{name}-gpu"

"""Which Pythons are on this machine, and which of them meets ``python=3.6.2``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from .. import files
from ..errors import EnvironmentFailed, InterpreterNotFound, InvalidInput, StoreError
from ..spec.parse import Spec, decode, encode, replace
from ..spec.settings import Settings
from .versions import specifiers

OLDEST = (3, 6)
"""The scoring worker runs on nothing older."""

_PROBE = """
import json, os, platform, sys, sysconfig
base = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({
    "own": sys.executable,
    "executable": os.path.realpath(sys.executable) if sys.prefix == getattr(sys, "base_prefix", sys.prefix) else base,
    "version": "%d.%d.%d" % sys.version_info[:3],
    "platform": sysconfig.get_platform(),
    "implementation": platform.python_implementation(),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "final": sys.version_info[3] == "final",
}))
"""
_PROBE_SECONDS = 15.0
_FACTS = ("path", "version", "platform", "problem")


class Interpreter(Spec):
    """A Python that was found. ``problem`` says why it cannot be used; empty for one that can."""

    path: str
    version: str = ""
    platform: str = ""
    problem: str = ""

    @property
    def release(self) -> tuple[int, ...]:
        """``3.6.15`` as ``(3, 6, 15)``."""
        return tuple(int(part) for part in self.version.split("."))


def discover(settings: Settings, environ: Mapping[str, str]) -> list[Interpreter]:
    """Every Python on this machine: the setting ``interpreters``, ``PATH``, pyenv's, uv's and the running one.

    Each is run once to learn its version; the answer is kept in the user's cache folder, for every home, and holds
    while the file is unchanged.

    Args:
        settings: The home's settings.
        environ: As ``os.environ``.

    Returns:
        Usable ones first, the newest version first; then those with a ``problem``.
    """
    from concurrent.futures import ThreadPoolExecutor

    cache_file = _cache_file(environ)
    cache = _read_cache(cache_file)
    # What another user of the file has found is kept, unless its interpreter is gone.
    known = {path: facts for path, facts in cache.items() if facts["stamp"] == _stamp(Path(path))}

    def look(path: Path) -> Interpreter:
        stamp = _stamp(path)
        hit = cache.get(str(path))
        if hit is not None and hit["stamp"] == stamp:
            known[str(path)] = hit
            return Interpreter(**{key: hit[key] for key in _FACTS})
        found = probe(path, environ)
        known[str(path)] = {"stamp": stamp, **{key: getattr(found, key) for key in _FACTS}}
        return found

    with ThreadPoolExecutor(4) as pool:
        looked = list(pool.map(look, _candidates(settings, environ)))
    if known != cache:
        with suppress(StoreError):  # the interpreters are asked again next time
            files.write(cache_file, encode(known), folder=0o700)
    usable: dict[str, Interpreter] = {}
    broken: dict[str, Interpreter] = {}
    for one in looked:
        (broken if one.problem else usable).setdefault(one.path, one)
    return [*sorted(usable.values(), key=lambda one: one.release, reverse=True), *broken.values()]


def probe(path: Path | str, environ: Mapping[str, str] | None = None, *, own: bool = False) -> Interpreter:
    """Run an interpreter and ask what it is; whatever goes wrong is told in ``problem``.

    Args:
        path: A Python, a virtual environment's, or pyenv's shim of one.
        environ: As ``os.environ``.
        own: True gives the interpreter itself, with the packages it sees, a virtual environment's own. False gives
            the one below it, from which environments are made.
    """
    path = str(path)
    kept = {
        k: v for k, v in (environ or os.environ).items() if not k.startswith("PYTHON") and k != "__PYVENV_LAUNCHER__"
    }
    try:
        done = subprocess.run(
            [path, "-E", "-s", "-c", _PROBE],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
            env=kept,
        )
    except subprocess.TimeoutExpired:
        return Interpreter(path=path, problem=f"does not answer within {_PROBE_SECONDS:.0f} s")
    except (OSError, ValueError) as error:
        return Interpreter(path=path, problem=f"does not run: {getattr(error, 'strerror', None) or error}")
    try:
        facts = json.loads(done.stdout.strip().splitlines()[-1])
        found = Interpreter(
            path=facts["own" if own else "executable"], version=facts["version"], platform=facts["platform"]
        )
    except (ValueError, IndexError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return Interpreter(path=path, problem=f"does not run (exit code {done.returncode}): {last}")
    if found.release[:2] < OLDEST:
        return replace(found, problem=f"Python {found.version} is older than 3.6")
    if facts["implementation"] != "CPython":
        return replace(found, problem=f"is {facts['implementation']}, not CPython")
    if facts["free_threaded"]:
        return replace(found, problem="is a free-threaded build, for which few packages have wheels")
    if not facts["final"]:
        return replace(found, problem=f"Python {found.version} is not a final release")
    return found


def pick(
    condition: str,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    fetch: Callable[[str], None] | None = None,
) -> tuple[Interpreter, list[str]]:
    """The Python for a conda condition on ``python``.

    An exact ``3.6.2`` is met by the newest 3.6 on the machine (settled.md), since patch releases change no interface.
    Of a range with an upper bound the newest that fits is taken; of one without, and where there is no condition at
    all, the running interpreter's minor version if it fits.

    Args:
        condition: What follows the name, as in ``=3.6.2`` or ``>=3.7,<3.9``; empty for any.
        settings: The home's settings.
        environ: As ``os.environ``.
        fetch: Brings a Python of the given ``X.Y`` onto the machine, or raises EnvironmentFailed.

    Returns:
        The interpreter, and notes for the timeline.

    Raises:
        InterpreterNotFound: None fits and none could be fetched; the hint lists what is there.
        InvalidInput: The condition cannot be understood.
    """
    conditions = specifiers(condition)
    found = discover(settings, environ)
    hit = _choose(condition, conditions, found)
    reason = ""
    if hit is None and fetch is not None and not settings.offline:
        wanted = _minor_wanted(condition)
        if wanted is not None:
            try:
                fetch(wanted)
            except EnvironmentFailed as error:
                reason = f" uv could not fetch one: {(error.context.get('log') or [error.message])[0]}"
            else:
                hit = _choose(condition, conditions, discover(settings, environ))
    if hit is not None:
        return hit
    there = ", ".join(f"{one.version} ({one.path})" for one in found if not one.problem) or "none"
    raise InterpreterNotFound(
        f"no Python for python{condition or ' (any)'} is on this machine.{reason}",
        hint=f"Found: {there}. Install one (for example with pyenv), name its folder in the setting interpreters, "
        "or change the python= line.",
        expected=f"python{condition}",
        found=[one.version for one in found if not one.problem],
    )


def _choose(condition: str, conditions: list, found: list[Interpreter]) -> tuple[Interpreter, list[str]] | None:  # type: ignore[type-arg]
    usable = [one for one in found if not one.problem]
    fits = [one for one in usable if any(rule.contains(one.version, prereleases=True) for rule in conditions)]
    if fits:
        own = [one for one in fits if one.release[:2] == sys.version_info[:2]]
        if not re.search(r"<|=|\*|~", condition.replace(">=", ">")) and own:
            chosen = own[0]
            asked = f"python{condition} has no upper bound" if condition else "no python version is asked for"
            return chosen, [f"{asked}: Python {chosen.version} is used, as for Sendoff itself"]
        return fits[0], [] if f"={fits[0].version}" in condition else [
            f"python{condition} is met by Python {fits[0].version}"
        ]
    for rule in conditions:
        pins = [part for part in rule if part.operator == "==" and re.fullmatch(r"\d+\.\d+\.\d+", part.version)]
        if len(pins) == len(list(rule)) == 1:
            wanted = tuple(int(part) for part in pins[0].version.split("."))[:2]
            same = [one for one in usable if one.release[:2] == wanted]
            if same:
                met = f"python={pins[0].version} is met by Python {same[0].version}"
                return same[0], [f"{met}, the newest patch release on this machine"]
    return None


def _minor_wanted(condition: str) -> str | None:
    if not condition:
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    match = re.search(r"(?<![<!])(?:=|>)?(\d+\.\d+)", condition)
    return match[1] if match else None


def _candidates(settings: Settings, environ: Mapping[str, str]) -> list[Path]:
    home = Path(environ.get("HOME") or Path.home())
    found: list[Path] = []
    for place in settings.interpreters:
        path = Path(place).expanduser()
        found += _in_folder(path) + _in_folder(path / "bin") if path.is_dir() else [path]
        if path.is_dir():
            found += [one for inner in _children(path) for one in _in_folder(inner / "bin")]
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv")
    for folder in environ.get("PATH", "").split(os.pathsep):
        # pyenv's shims run whatever the current folder's .python-version says: its versions are looked at instead.
        if folder and Path(folder) != pyenv / "shims":
            found += _in_folder(Path(folder))
    uv_pythons = Path(
        environ.get("UV_PYTHON_INSTALL_DIR")
        or Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "uv" / "python"
    )
    for root in (pyenv / "versions", uv_pythons):
        for version in _children(root):
            found += _in_folder(version / "bin", one_only=True)
    found.append(Path(getattr(sys, "_base_executable", None) or sys.executable))
    return list(dict.fromkeys(found))


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def _in_folder(folder: Path, *, one_only: bool = False) -> list[Path]:
    try:
        names = {path.name for path in folder.iterdir() if re.fullmatch(r"python(3(\.\d+)?)?(\.exe)?", path.name)}
    except OSError:
        return []
    ordered = [folder / name for name in sorted(names, key=len, reverse=True)]
    return ordered[:1] if one_only else ordered


def _cache_file(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME") or Path.home())
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "sendoff" / "interpreters.json"


def _stamp(path: Path) -> str:
    try:
        facts = path.stat()
    except OSError:
        return "gone"
    return f"{facts.st_mtime_ns}-{facts.st_size}-{facts.st_ino}"


def _read_cache(path: Path) -> dict[str, dict[str, str]]:
    try:
        cache = decode(path.read_bytes(), dict[str, dict[str, str]], where=str(path))
    except (OSError, InvalidInput):
        return {}
    fields = {"stamp", *_FACTS}
    # What failed may have been repaired without a change of the file: it is tried again each time. One that told its
    # version did not fail, whatever keeps it from being used.
    return {
        key: value
        for key, value in cache.items()
        if value.keys() == fields and (value["version"] or not value["problem"])
    }

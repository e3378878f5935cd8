"""conda packages without conda: py-rattler solves and installs (the extra ``sendoff-ml[conda]``)."""

from __future__ import annotations

import datetime
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..errors import EnvironmentFailed, MissingExtra
from ..spec.environment_packages import redact
from .as_of import Release
from .indexes import Indexes, Supply, without_credentials
from .uv import packages, patiently, surroundings

_SOLVE_SECONDS = 600
_INSTALL_SECONDS = 3600
_PROCESS = Path(__file__).with_name("conda_process.py")
_ALIASES = {"defaults": "anaconda"}
_KEPT = (
    "name",
    "version",
    "build",
    "build_number",
    "subdir",
    "noarch",
    "depends",
    "constrains",
    "sha256",
    "md5",
    "size",
    "python_site_packages_path",
)


def installed() -> bool:
    """Whether the extra is there."""
    return importlib.util.find_spec("rattler") is not None


def solve(
    specs: list[str], channels: list[str], supply: Supply, *, cache: Path, until: datetime.datetime | None = None
) -> list[dict[str, Any]]:
    """Solve conda match specs against channels.

    Args:
        specs: Match specs, ``python`` among them.
        channels: Names, addresses or ``file://`` folders, the most important first; ``defaults`` is the channel
            ``anaconda``, which has the same packages, and ``nodefaults`` is passed over.
        supply: Proxy and certificates on the way to the channels.
        cache: Where channel indexes are kept.
        until: Nothing that the channel's records date later is taken; those without a date are.

    Returns:
        One record a package, in the order of installation: conda's own fields with ``url`` and ``channel``.

    Raises:
        MissingExtra: py-rattler is not installed.
        EnvironmentFailed: A channel cannot be reached, or nothing satisfies the specs.
    """
    shown = ", ".join(redact(channel) for channel in channels)
    what = f"solving {len(specs)} conda packages with the channels {shown}"
    job = {
        "do": "solve",
        "specs": specs,
        "channels": _named(channels),
        "cache": str(cache / "conda-index"),
        "seconds": _SOLVE_SECONDS,
        "until": until.isoformat() if until else None,
    }
    try:
        records = _work(job, what, supply, seconds=_SOLVE_SECONDS + 60)
    except _Problem as problem:
        reason = " ".join(line.strip(" │├└─") for line in problem.lines)[:600]
        raise EnvironmentFailed(
            f"the conda packages cannot be solved with {shown}: {reason}",
            hint="Check the versions and that the channels answer; a local one is written file:///path. "
            "The settings proxy and ca_bundle count for channels too.",
            log=problem.lines[-20:],
        ) from None
    return [_plain(record) for record in records]


def released(specs: list[str], channels: list[str], supply: Supply, *, python: str, cache: Path) -> list[Release]:
    """When the channel's records say that releases were made, the first build of each that fits the Python.

    Args:
        specs: Match specs that name one release each; what no channel has is passed over.
        channels: As for :func:`solve`.
        supply: Proxy and certificates on the way to the channels.
        python: The match spec's condition on Python; empty for any.
        cache: Where channel indexes are kept.
    """
    if not specs:
        return []
    job = {
        "do": "released",
        "specs": specs,
        "channels": _named(channels),
        "python": python,
        "cache": str(cache / "conda-index"),
    }
    what = f"looking up when {packages(len(specs))} of conda were released"
    try:
        found = _work(job, what, supply, seconds=_SOLVE_SECONDS)
    except _Problem:
        return []  # solving says what is wrong
    return [
        Release(name=name, version=version, day=datetime.date.fromisoformat(day) if day else None)
        for name, version, day in found
    ]


def install(
    records: list[dict[str, Any]], prefix: Path, supply: Supply, *, cache: Path, final: str | None = None
) -> None:
    """Install solved records into a prefix.

    Args:
        records: What :func:`solve` gave.
        prefix: The folder, made when needed.
        supply: Proxy and certificates on the way to the channels.
        cache: Where downloaded archives are kept.
        final: The path that packages are bound to where the folder is to lie elsewhere, as in an image; else
            ``prefix``.

    Raises:
        MissingExtra: py-rattler is not installed.
        EnvironmentFailed: An archive cannot be fetched, or does not match its hash.
    """
    what = f"installing {len(records)} conda packages"
    job = {
        "do": "install",
        "records": records,
        "prefix": str(prefix),
        "cache": str(cache / "conda-packages"),
        "final": final,
    }
    try:
        _work(job, what, supply, seconds=_INSTALL_SECONDS)
    except _Problem as problem:
        raise EnvironmentFailed(
            f"the conda packages cannot be installed: {problem.lines[0]}",
            hint="Check that the channel answers, then try again.",
            log=problem.lines[-20:],
        ) from None


def _named(channels: list[str]) -> list[str]:
    return [_ALIASES.get(channel, channel) for channel in channels if channel != "nodefaults"]


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    kept = {key: record[key] for key in _KEPT if record.get(key) is not None}
    file = record.get("fn") or str(record["url"]).rsplit("/", 1)[-1]
    url, channel = without_credentials(str(record["url"])), without_credentials(str(record.get("channel") or ""))
    return {**kept, "url": url, "channel": channel, "fn": file}


class _Problem(Exception):
    """What py-rattler said, without credentials; there is at least one line."""

    def __init__(self, text: str, indexes: Indexes) -> None:
        lines = [indexes.conceal(line).rstrip() for line in text.splitlines() if line.strip()]
        self.lines = lines or ["py-rattler ended without a word"]
        super().__init__(self.lines[0])


def _work(job: dict[str, Any], what: str, supply: Supply, *, seconds: float) -> Any:
    """Have a process do a job (:mod:`.conda_process`); gives its answer."""
    if not installed():
        raise MissingExtra("conda packages need py-rattler", hint="Run: pip install 'sendoff-ml[conda]'")
    supply.progress(what)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [sys.executable, "-P", str(_PROCESS)],
            env=surroundings(supply, drop=False),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        assert process.stdin is not None
        try:
            try:
                # Left open: the process ends when it closes, as it does when we are killed.
                process.stdin.write(json.dumps(job).encode() + b"\n")
                process.stdin.flush()
            except BrokenPipeError:
                pass  # it has ended, and says why
            patiently(lambda silence: process.wait(silence), what, seconds, supply.progress)
        except TimeoutError as error:
            raise _Problem(str(error), supply.indexes) from None
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
        out.seek(0)
        err.seek(0)
        try:
            answer = json.loads(out.read())
        except ValueError:
            raise _Problem(err.read().decode(errors="replace"), supply.indexes) from None
    if "problem" in answer:
        raise _Problem(str(answer["problem"]), supply.indexes)
    return answer["done"]

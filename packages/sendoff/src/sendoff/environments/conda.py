"""conda packages without conda: py-rattler solves and installs (the extra ``sendoff[conda]``)."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import EnvironmentFailed, MissingExtra
from ..spec.environment_packages import redact
from .indexes import without_credentials
from .uv import Progress

T = TypeVar("T")

_SOLVE_SECONDS = 600
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


def solve(specs: list[str], channels: list[str], *, cache: Path, progress: Progress) -> list[dict[str, Any]]:
    """Solve conda match specs against channels.

    Args:
        specs: Match specs, ``python`` among them.
        channels: Names, addresses or ``file://`` folders, the most important first; ``defaults`` is the channel
            ``anaconda``, which has the same packages, and ``nodefaults`` is passed over.
        cache: Where channel indexes are kept.
        progress: Receives what is waited for.

    Returns:
        One record a package, in the order of installation: conda's own fields with ``url`` and ``channel``.

    Raises:
        MissingExtra: py-rattler is not installed.
        EnvironmentFailed: A channel cannot be reached, or nothing satisfies the specs.
    """
    if not installed():
        raise MissingExtra("conda packages need py-rattler", hint="Run: pip install 'sendoff[conda]'")
    import datetime

    import rattler

    shown = ", ".join(redact(channel) for channel in channels)
    progress(f"solving {len(specs)} conda packages with the channels {shown}")

    async def work() -> list[Any]:
        gateway = rattler.Gateway(cache_dir=cache / "conda-index")
        return await rattler.solve(
            [rattler.Channel(_ALIASES.get(channel, channel)) for channel in channels if channel != "nodefaults"],
            [rattler.MatchSpec(spec) for spec in specs],
            gateway=gateway,
            virtual_packages=rattler.VirtualPackage.detect(),
            timeout=datetime.timedelta(seconds=_SOLVE_SECONDS),
        )

    try:
        records = rattler.RepoDataRecord.sort_topologically(_run(work()))
        return [_plain(json.loads(record.to_json())) for record in records]
    except Exception as error:  # rattler has an exception class for each of its parts, and no base class
        lines = [redact(line).rstrip() for line in str(error).splitlines() if line.strip()]
        reason = " ".join(line.strip(" │├└─") for line in lines)[:600] or type(error).__name__
        raise EnvironmentFailed(
            f"the conda packages cannot be solved with {shown}: {reason}",
            hint="Check the versions and that the channels answer; a local one is written file:///path.",
            log=lines[-20:],
        ) from None


def install(
    records: list[dict[str, Any]], prefix: Path, *, cache: Path, progress: Progress, final: str | None = None
) -> None:
    """Install solved records into a prefix.

    Args:
        records: What :func:`solve` gave.
        prefix: The folder, made when needed.
        final: The path that packages are bound to where the folder is to lie elsewhere, as in an image; else
            ``prefix``.
        cache: Where downloaded archives are kept.
        progress: Receives what is waited for.

    Raises:
        MissingExtra: py-rattler is not installed.
        EnvironmentFailed: An archive cannot be fetched, or does not match its hash.
    """
    if not installed():
        raise MissingExtra("conda packages need py-rattler", hint="Run: pip install 'sendoff[conda]'")
    import rattler

    progress(f"installing {len(records)} conda packages")

    async def work() -> None:
        await rattler.install(
            [_record(record) for record in records],
            prefix,
            cache_dir=cache / "conda-packages",
            show_progress=False,
            alternative_target_prefix=final,
        )

    try:
        _run(work())
    except Exception as error:
        lines = [redact(line) for line in str(error).splitlines() if line.strip()]
        raise EnvironmentFailed(
            f"the conda packages cannot be installed: {lines[0] if lines else type(error).__name__}",
            hint="Check that the channel answers, then try again.",
            log=lines[-20:],
        ) from None


def explicit(record: Mapping[str, Any]) -> str:
    """One line of a lock: the archive's address and its hash."""
    return f"{record['url']}#sha256:{record['sha256']}"


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    kept = {key: record[key] for key in _KEPT if record.get(key) is not None}
    file = record.get("fn") or str(record["url"]).rsplit("/", 1)[-1]
    url, channel = without_credentials(str(record["url"])), without_credentials(str(record.get("channel") or ""))
    return {**kept, "url": url, "channel": channel, "fn": file}


def _record(plain: Mapping[str, Any]) -> Any:
    import rattler

    package = rattler.PackageRecord(
        name=plain["name"],
        version=plain["version"],
        build=rattler.BuildString(plain["build"]),
        build_number=plain["build_number"],
        subdir=plain["subdir"],
        noarch=_noarch(plain),
        depends=list(plain.get("depends", [])),
        constrains=list(plain.get("constrains", [])),
        sha256=bytes.fromhex(plain["sha256"]) if plain.get("sha256") else None,
        md5=bytes.fromhex(plain["md5"]) if plain.get("md5") else None,
        size=plain.get("size"),
        python_site_packages_path=plain.get("python_site_packages_path"),
    )
    return rattler.RepoDataRecord(package, plain["fn"], plain["url"], plain["channel"])


def _noarch(plain: Mapping[str, Any]) -> Any:
    import rattler

    kind = plain.get("noarch")
    return None if kind is None else rattler.NoArchType("python" if kind == "python" else "generic")


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a thread of its own: the caller may be inside an event loop (a notebook is)."""
    import asyncio

    outcome: list[T] = []
    failure: list[BaseException] = []

    def inner() -> None:
        try:
            outcome.append(asyncio.run(work))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=inner, name="rattler")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]

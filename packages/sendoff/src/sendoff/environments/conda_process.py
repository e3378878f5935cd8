"""The process in which py-rattler works: one job in, one answer out, both JSON. Imports nothing of ours.

A process of its own, since proxy and certificates reach py-rattler by environment variables alone, which are not
changed under a notebook that holds other threads. It ends with its parent: that one's end of the pipe closes.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Its types differ from version to version, and we need few of them.
rattler: Any = importlib.import_module("rattler")


def main() -> int:
    """Read a job from standard input, do it, and write the answer to standard output."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work: Any = {"solve": _solve, "released": _released, "install": _install}[job.pop("do")]
    try:
        answer = {"done": asyncio.run(work(**job))}
    except Exception as error:  # rattler has an exception class for each of its parts, and no base class
        answer = {"problem": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout)
    sys.stdout.flush()
    # Not the interpreter's own end: the thread above still reads.
    os._exit(0)


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1 << 10):
        pass
    os._exit(1)


def _client() -> Any:
    """A client that trusts SSL_CERT_FILE where it is set; None for py-rattler's own."""
    config = getattr(rattler, "Config", None)
    if config is None or not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        return None
    return rattler.Client.from_config(config.from_toml('tls-root-certs = "system"'))


def _gateway(cache: str) -> Any:
    return rattler.Gateway(cache_dir=Path(cache), client=_client())


async def _solve(
    specs: list[str], channels: list[str], cache: str, seconds: float, until: str | None
) -> list[dict[str, Any]]:
    gateway = _gateway(cache)
    sources: list[Any] = [rattler.Channel(channel) for channel in channels]
    if until:
        moment = datetime.datetime.fromisoformat(until)
        sources = [_Until(gateway, channel, moment, await _names(gateway, channel)) for channel in sources]
    records = await rattler.solve(
        sources,
        [rattler.MatchSpec(spec) for spec in specs],
        gateway=gateway,
        virtual_packages=rattler.VirtualPackage.detect(),
        timeout=datetime.timedelta(seconds=seconds),
    )
    return [json.loads(record.to_json()) for record in rattler.RepoDataRecord.sort_topologically(records)]


class _Until:
    """A channel without what was made later; records without a date stay.

    rattler's own ``exclude_newer`` prefers the time at which the channel was indexed, which is today in a mirror.
    """

    def __init__(self, gateway: Any, channel: Any, until: datetime.datetime, names: dict[str, list[str]]) -> None:
        self._gateway, self._channel, self._until, self._names = gateway, channel, until, names

    async def fetch_package_records(self, platform: Any, name: Any) -> list[Any]:
        """The records of one package that were made by then."""
        answers = await self._gateway.query([self._channel], [platform], [name.normalized], recursive=False)
        return [one for answer in answers for one in answer if one.timestamp is None or one.timestamp <= self._until]

    def package_names(self, platform: Any) -> list[str]:
        """What the channel has for a platform."""
        return self._names.get(str(platform), [])


def _platforms() -> list[str]:
    return [str(rattler.Platform.current()), "noarch"]


async def _names(gateway: Any, channel: Any) -> dict[str, list[str]]:
    """What a channel has, by platform."""
    return {
        platform: [name.normalized for name in await gateway.names([channel], [platform])] for platform in _platforms()
    }


async def _released(specs: list[str], channels: list[str], cache: str, python: str) -> list[list[str | None]]:
    """Name, version and day of each release that a spec names; the day is None where no record has one."""
    sources = [rattler.Channel(channel) for channel in channels]
    wanted = rattler.MatchSpec(f"python {python}".strip())
    answers = await _gateway(cache).query(sources, _platforms(), ["python", *specs], recursive=False)
    records = [record for answer in answers for record in answer]
    pythons = [one for one in records if one.name.normalized == "python" and wanted.matches(one)]
    found: list[list[str | None]] = []
    for spec in map(rattler.MatchSpec, specs):
        builds = [one for one in records if spec.matches(one)]
        fitting = [one for one in builds if _takes(one, pythons)] or builds
        if not fitting:
            continue
        days = [one.timestamp.date().isoformat() for one in fitting if one.timestamp is not None]
        found.append([fitting[0].name.normalized, str(fitting[0].version), min(days, default=None)])
    return found


def _takes(record: Any, pythons: list[Any]) -> bool:
    """Whether a build is for one of some Pythons: a build for a later one came years after its release."""
    needs = [rattler.MatchSpec(one) for one in record.depends if one.split()[0] == "python"]
    return all(any(need.matches(python) for python in pythons) for need in needs)


async def _install(records: list[dict[str, Any]], prefix: str, cache: str, final: str | None) -> None:
    await rattler.install(
        [_record(record) for record in records],
        prefix,
        cache_dir=Path(cache),
        client=_client(),
        show_progress=False,
        alternative_target_prefix=final,
    )


def _record(plain: Mapping[str, Any]) -> Any:
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
    kind = plain.get("noarch")
    return None if kind is None else rattler.NoArchType("python" if kind == "python" else "generic")


if __name__ == "__main__":
    sys.exit(main())

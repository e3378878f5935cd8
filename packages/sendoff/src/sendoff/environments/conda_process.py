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

# Its types differ from version to version, and 0.15 is enough for us.
rattler: Any = importlib.import_module("rattler")


def main() -> int:
    """Read a job from standard input, do it, and write the answer to standard output."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work: Any = {"solve": _solve, "install": _install}[job.pop("do")]
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


async def _solve(specs: list[str], channels: list[str], cache: str, seconds: float) -> list[dict[str, Any]]:
    records = await rattler.solve(
        [rattler.Channel(channel) for channel in channels],
        [rattler.MatchSpec(spec) for spec in specs],
        gateway=rattler.Gateway(cache_dir=Path(cache), client=_client()),
        virtual_packages=rattler.VirtualPackage.detect(),
        timeout=datetime.timedelta(seconds=seconds),
    )
    return [json.loads(record.to_json()) for record in rattler.RepoDataRecord.sort_topologically(records)]


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

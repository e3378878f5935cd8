"""Running uv: with our settings only, with a time limit, and with an answer that people can use when it fails."""

from __future__ import annotations

import datetime
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from ..errors import EnvironmentFailed, MissingExtra
from ..progress import Progress
from ..spec.environment import canonical_name
from .indexes import Indexes, Supply

_SILENCE = 10.0
# Everything else that is called UV_… would change what is installed behind our back.
_KEPT = re.compile(
    r"UV_(CACHE_DIR|HTTP_\w+|CONCURRENT_\w+|LINK_MODE|PYTHON_INSTALL_\w+|NATIVE_TLS|SYSTEM_CERTS|REQUEST_TIMEOUT)\Z"
)
_DROPPED = {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__"}
_FIRST_SETUPTOOLS = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_DATELESS = re.compile(r"^warning: `([^`]+)` is missing an upload date", re.MULTILINE)
_UNREADABLE = re.compile(r"^\s*WARN `([^`=]+)==[^`]+` has invalid metadata", re.MULTILINE)
_ARCHIVE = re.compile(r"(.+?)(?:-\d.*)?\Z")

T = TypeVar("T")


def packages(count: int) -> str:
    """``1 package``, ``2 packages``."""
    return "1 package" if count == 1 else f"{count} packages"


def binary() -> str:
    """The path of uv, which comes with Sendoff.

    Raises:
        MissingExtra: It is not there.
    """
    import uv

    try:
        return uv.find_uv_bin()
    except FileNotFoundError:
        raise MissingExtra("uv is not installed beside sendoff", hint="Run: pip install uv") from None


def dated(until: datetime.datetime, free_of_it: Iterable[str]) -> list[str]:
    """Options that leave out what was uploaded later, also of what source archives are built with.

    Args:
        until: The moment, with its time zone.
        free_of_it: Packages whose index gives no dates, or whose releases of that time cannot be read.
    """
    free_of_it = set(free_of_it)
    free = [option for name in sorted(free_of_it) for option in ("--exclude-newer-package", f"{name}=false")]
    # uv builds every old source archive with a setuptools of 2019 or later.
    if until < _FIRST_SETUPTOOLS and "setuptools" not in free_of_it:
        free += ["--exclude-newer-package", f"setuptools={_FIRST_SETUPTOOLS:%Y-%m-%d}"]
    return ["--exclude-newer", f"{until:%Y-%m-%dT%H:%M:%SZ}", *free]


def run(
    arguments: list[str],
    supply: Supply,
    *,
    waits_for: str,
    timeout: float = 1800.0,
    holds: int | None = None,
    undated: set[str] | None = None,
    unreadable: set[str] | None = None,
) -> str:
    """Run uv to its end.

    Args:
        arguments: What follows ``uv``.
        supply: Where packages come from; handed over in a file that only we can read, never on the command line.
        waits_for: What it does, for the line that is printed while it is silent (``resolving 4 packages``).
        timeout: In seconds; then uv and what it started are ended.
        holds: A file lock's descriptor that uv inherits: when we are killed, the lock is held until uv is gone too.
        undated: Receives the packages that were left out for want of a date (not with ``--quiet``).
        unreadable: Receives the packages of which releases were passed over, since they state what they require in a
            form of their time that uv does not read.

    Returns:
        Its standard output.

    Raises:
        EnvironmentFailed: It failed or took too long; context carries a ``reason`` (missing, conflict, build,
            unreachable, disk, other) and its last ``log`` lines without credentials.
    """
    with tempfile.TemporaryDirectory(prefix="sendoff-uv-") as folder:
        config = Path(folder) / "uv.toml"
        configure(config, supply.indexes)
        command = [binary(), "--config-file", str(config), "--no-progress", "--color", "never", *arguments]
        process = subprocess.Popen(
            command,
            env=surroundings(supply) | ({} if unreadable is None else {"RUST_LOG": "uv_resolver=warn"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=folder,
            start_new_session=True,
            pass_fds=() if holds is None else (holds,),
        )
        try:
            out, err = patiently(
                lambda silence: process.communicate(timeout=silence), waits_for, timeout, supply.progress
            )
        except TimeoutError as error:
            hint = "Pin more versions, or check that the package index answers."
            raise EnvironmentFailed(str(error), hint=hint, log=[]) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if undated is not None:
        undated |= {canonical_name(_ARCHIVE.match(file)[1]) for file in _DATELESS.findall(err)}  # type: ignore[index]
    if unreadable is not None:
        unreadable |= {canonical_name(name) for name in _UNREADABLE.findall(err)}
    if process.returncode == 0:
        return out
    raise _explain(supply.indexes.conceal(err), waits_for, supply.indexes)


def patiently(wait: Callable[[float], T], what: str, seconds: float, progress: Progress) -> T:
    """Wait for a process, and say so every ten seconds.

    Args:
        wait: Waits so long, and raises ``subprocess.TimeoutExpired`` when that was too short.
        what: What it does, for these lines.
        seconds: How long at most.
        progress: Receives the lines.

    Raises:
        TimeoutError: It took longer.
    """
    start = time.monotonic()
    while True:
        try:
            return wait(_SILENCE)
        except subprocess.TimeoutExpired:
            spent = time.monotonic() - start
            if spent > seconds:
                raise TimeoutError(f"{what} took longer than {seconds:.0f} s and was stopped") from None
            progress(f"still {what} ({spent:.0f} s)")


def configure(path: Path, indexes: Indexes) -> None:
    """Write a ``uv.toml`` for these indexes; passwords are in it. JSON's strings and lists are TOML's."""

    def line(key: str, value: object) -> str:
        return f"{key} = {json.dumps(value, ensure_ascii=False)}\n"

    # pip looks at every index and takes the best version; uv would stop at the first index that knows the name.
    text = line("index-strategy", "unsafe-best-match")
    if indexes.index_url:
        text += line("index-url", indexes.index_url)
    if indexes.extra_index_urls:
        text += line("extra-index-url", indexes.extra_index_urls)
    if indexes.find_links:
        text += line("find-links", [str(Path(at).expanduser()) if "://" not in at else at for at in indexes.find_links])
    if indexes.no_index:
        text += line("no-index", True)
    if indexes.trusted_hosts:
        text += line("allow-insecure-host", indexes.trusted_hosts)
    if indexes.offline:
        text += line("offline", True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def surroundings(supply: Supply, *, drop: bool = True) -> dict[str, str]:
    """The variables of a process that fetches packages: certificates and proxy as the settings say.

    Args:
        supply: Holds certificates, proxy and its exceptions, and the variables that there are.
        drop: Leave out what would change what uv does.
    """
    kept = {
        name: value
        for name, value in supply.environ.items()
        if not drop or (name not in _DROPPED and (not name.startswith("UV_") or _KEPT.match(name)))
    }
    cert = supply.indexes.cert
    if cert:
        kept["SSL_CERT_DIR" if Path(cert).is_dir() else "SSL_CERT_FILE"] = str(Path(cert).expanduser())
    kept |= supply.indexes.proxy_variables()
    kept.setdefault("UV_HTTP_TIMEOUT", "30")
    return kept


def _explain(log: str, waits_for: str, indexes: Indexes) -> EnvironmentFailed:
    lines = [line.rstrip() for line in log.splitlines() if line.strip() and not line.startswith("warning: ")]
    flat = " ".join(re.sub(r"^\s*(error|cause|hint)?:?\s*", "", line) for line in lines)
    if "No space left on device" in flat:
        reason = "disk"
        what, hint = "the disk is full", "Run: sendoff gc; or set SENDOFF_HOME and UV_CACHE_DIR to a larger disk."
    elif re.search(
        r"not found in the package registry|not found in the provided|network was disabled|no-index|was not found", flat
    ):
        reason = "missing"
        missing = sorted(set(re.findall(r"[Bb]ecause ([A-Za-z0-9._-]+) was not found", flat)))
        what = f"the package index does not have {', '.join(missing)}" if missing else "a package was not found"
        hint = (
            "Check the spelling; or add the index that has it with --extra-index-url or the setting extra_index_urls."
        )
        if indexes.offline:
            hint = "The setting offline is on: put the wheels into the wheelhouse, or switch it off."
    elif "No solution found" in flat or "unsatisfiable" in flat:
        reason = "conflict"
        conclusion = re.sub(r".*?No solution found when resolving dependencies:?\s*", "", flat)
        what, hint = f"the packages do not go together: {conclusion}", "Relax or remove one of the versions named here."
    elif re.search(r"Failed to build|build backend|Failed to prepare|compil", flat):
        reason = "build"
        what = "a package had to be compiled from source and that failed"
        hint = "Install a C compiler (for example: apt-get install gcc), or choose a version that has a wheel."
        confused = re.search(r"`([A-Za-z0-9._-]+)` is often confused for `([A-Za-z0-9._-]+)`", flat)
        if confused:
            what = f"{confused[1]} is not the package that was meant, and it cannot be built"
            hint = f"Write {confused[2]} in its place."
    elif re.search(
        r"[Ff]ailed to fetch|error sending request|dns error|[Cc]onnect|timed out|certificate|[Rr]equest failed", flat
    ):
        reason = "unreachable"
        what = f"the package index cannot be reached ({indexes.described()})"
        hint = "Check the settings index_url, proxy and ca_bundle, or set wheelhouse and offline."
    else:
        reason = "other"
        what, hint = (lines[0].removeprefix("error: ") if lines else "uv failed without a word"), ""
    return EnvironmentFailed(f"{waits_for} failed: {what}", hint=hint, log=lines[-20:], reason=reason)

"""``sendoff doctor``: what this machine can do, a line each, with the fix where something is missing."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import click

from ...errors import SendoffError
from ..command import Command
from ..errors import NOT_READY
from ..records import Record
from ..session import Session

OK, WARN, FAIL = "ok", "warn", "fail"
_LITTLE_DISK_GB, _LEAST_DISK_GB = 5.0, 0.5


@click.command(
    cls=Command,
    example="sendoff doctor",
    columns=(("State", "state"), ("Check", "check"), ("Found", "found"), ("Fix", "fix")),
)
def doctor(session: Session) -> list[Record]:
    """Say what this machine can do, and how to mend what it cannot.

    A line is ok, warn (something optional is missing) or fail (Sendoff cannot work); with a fail the exit code is 14.
    """
    rows = [*local_checks()]
    try:
        facts = session.client.doctor()
    except SendoffError as error:
        rows.append(row(FAIL, "api", error.message, error.hint))
        facts = {}
    rows += api_checks(facts)
    if any(found["state"] == FAIL for found in rows):
        session.exit_code = NOT_READY
    return rows


def row(state: str, check: str, found: str, fix: str = "") -> Record:
    """One line of the report."""
    return {"check": check, "state": state, "found": found, "fix": fix}


def local_checks() -> list[Record]:
    """What can be seen without the API: this process's own Python, shell and tools."""
    version = ".".join(map(str, sys.version_info[:3]))
    rows = [
        row(OK, "python", f"{version} at {sys.executable}")
        if sys.version_info >= (3, 11)
        else row(FAIL, "python", version, "Sendoff needs Python 3.11 or newer.")
    ]
    vendor = _installed("azureml-core")
    if vendor:
        fix = "pip uninstall azureml-core, or use a fresh venv."
        rows.append(row(FAIL, "azureml-core", f"{vendor} is in this interpreter", fix))
    if _is_another_sendoff():
        fix = "pip uninstall sendoff, then: pip install --force-reinstall --no-deps sendoff-ml"
        rows.append(row(FAIL, "sendoff", "another project's distribution has files where ours are", fix))
    compiler = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    rows.append(
        row(OK, "compiler", compiler)
        if compiler
        else row(WARN, "compiler", "none", "Only packages without wheels need one: install gcc or clang.")
    )
    return rows


def api_checks(facts: dict[str, Any]) -> list[Record]:
    """A line for each fact that the API's machine told; facts that are unknown here are shown as they are."""
    rows = []
    for name, value in facts.items():
        if name == "python" and isinstance(value, dict) and value.get("path") == sys.executable:
            continue  # embedded: the same interpreter as ours, which has its line
        reader = _READERS.get(name)
        rows.append(reader(value) if reader else row(OK, name.replace("_", " "), _text(value)))
    if os.environ.get("SENDOFF_SERVER"):
        rows.insert(0, row(OK, "server", os.environ["SENDOFF_SERVER"]))
    return rows


def _installed(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _is_another_sendoff() -> bool:
    """Whether the chemistry package is here, whose distribution has the name that our modules have."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        return any(path.parts[0] == "sendoff" for path in files("sendoff") or [])
    except PackageNotFoundError:
        return False


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items() if inner is not None)
    if isinstance(value, list):
        return ", ".join(_text(inner) for inner in value)
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value)


def _store(value: Any) -> Record:
    state = value.get("state") if isinstance(value, dict) else value
    if state == "broken":
        error = value.get("error") or {}
        return row(FAIL, "store", str(error.get("message")), str(error.get("hint") or ""))
    return row(OK, "store", _text(value))


def _disk(value: Any) -> Record:
    free = float(value.get("free_gb", 0))
    found = f"{free} GB free of {value.get('total_gb')} GB"
    if free < _LEAST_DISK_GB:
        return row(FAIL, "disk", found, "Free some space; sendoff gc --dry-run shows what Sendoff could give back.")
    if free < _LITTLE_DISK_GB:
        return row(WARN, "disk", found, "Environments need a few GB; sendoff gc --dry-run shows what could go.")
    return row(OK, "disk", found)


def _interpreters(value: Any) -> Record:
    if not value:
        fix = "uv fetches one when an environment asks for it."
        return row(WARN, "interpreters", "none named python3.X on PATH", fix)
    return row(OK, "interpreters", ", ".join(value))


def _uv(value: Any) -> Record:
    if not value:
        return row(FAIL, "uv", "none", "pip install uv: environments are built with it.")
    return row(OK, "uv", str(value))


def _docker(value: Any) -> Record:
    if not value:
        return row(WARN, "docker", "none", "Only images and containers need it; the process target works without.")
    if isinstance(value, dict) and not value.get("answers", True):
        why = value.get("why") or f"{value.get('path')} does not answer"
        return row(WARN, "docker", why, value.get("hint") or "Start the engine, if you want images.")
    return row(OK, "docker", _text(value))


def _ports(value: Any) -> Record:
    if value is False:
        fix = "Services listen there: look at the firewall or sandbox."
        return row(FAIL, "ports", "no port of 127.0.0.1 can be opened", fix)
    return row(OK, "ports", "127.0.0.1 can be listened on" if value is True else _text(value))


def _extras(value: Any) -> Record:
    absent = [name for name, there in value.items() if not there]
    if absent:
        fix = f'pip install "sendoff-ml[{",".join(absent)}]", where you need them.'
        return row(WARN, "extras", f"without {', '.join(absent)}", fix)
    return row(OK, "extras", ", ".join(value))


def _supervisor(value: Any) -> Record:
    if isinstance(value, dict) and value.get("state") != "ok":
        found = f"was killed, and nothing restarts services that end ({', '.join(value.get('of', []))})"
        return row(WARN, "supervisor", found, "sendoff up starts it, and what should run.")
    return row(OK, "supervisor", "services that should run are kept running")


_READERS = {
    "store": _store,
    "disk": _disk,
    "interpreters": _interpreters,
    "uv": _uv,
    "docker": _docker,
    "loopback_ports": _ports,
    "extras": _extras,
    "supervisor": _supervisor,
}

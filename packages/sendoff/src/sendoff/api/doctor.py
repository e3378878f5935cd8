"""What this machine can do, as facts: nothing here changes anything."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import SendoffError

if TYPE_CHECKING:
    from ..core import Core

_PYTHONS = tuple(f"3.{minor}" for minor in range(6, 15))
_DISTRIBUTION = "sendoff-ml"


def examine(core: Core) -> dict[str, Any]:
    """Interpreters, tools, disk, store and optional parts of the machine that the API runs on."""
    usage = shutil.disk_usage(_existing(core))
    return {
        "sendoff": __version__,
        "python": {"version": platform.python_version(), "path": sys.executable},
        "machine": {"system": platform.system(), "architecture": platform.machine(), "cpus": os.cpu_count() or 1},
        "home": str(core.home),
        "store": _store(core),
        "disk": {"free_gb": round(usage.free / 1e9, 1), "total_gb": round(usage.total / 1e9, 1)},
        "interpreters": {v: path for v in _PYTHONS if (path := shutil.which(f"python{v}"))},
        "uv": _uv(),
        "docker": _docker(),
        "loopback_ports": _free_port(),
        "extras": _extras(),
        "supervisor": core.supervision(),
    }


def _extras() -> dict[str, bool]:
    """Whether all that an extra installs is there, for each extra in our own metadata."""
    try:
        extras = distribution(_DISTRIBUTION).metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return {}
    return {extra: _complete(_DISTRIBUTION, extra) for extra in extras}


def _complete(name: str, extra: str) -> bool:
    """Whether a distribution is installed with what one of its extras (\"\": none) asks for."""
    from packaging.requirements import Requirement

    try:
        required = map(Requirement, distribution(name).requires or [])
    except PackageNotFoundError:
        return False
    return not extra or all(
        _complete(one.name, further)
        for one in required
        if one.marker and one.marker.evaluate({"extra": extra}) and not one.marker.evaluate({"extra": ""})
        for further in (one.extras or {""})
    )


def _existing(core: Core) -> str:
    folder = core.home
    while not folder.exists():
        folder = folder.parent
    return str(folder)


def _store(core: Core) -> dict[str, Any]:
    if not core.home.exists():
        return {"state": "not made yet"}
    try:
        return {"state": "ok", "workspaces": len(core.registry.workspaces())}
    except SendoffError as error:
        return {"state": "broken", "error": error.payload()}


def _uv() -> str | None:
    try:
        return version("uv")
    except PackageNotFoundError:
        found = shutil.which("uv")
        return found and "on PATH"


def _docker() -> dict[str, Any] | None:
    """The engine that the docker target would use; None where nothing hints at one."""
    from ..containers.engine import connect

    try:
        engine = connect(local=True)
        found = engine.version(2.0)
    except SendoffError as error:
        there = any(shutil.which(name) for name in ("docker", "podman")) or not error.context.get("missing")
        return {"answers": False, "why": error.message, "hint": error.hint} if there else None
    return {"path": engine.path, "answers": True, "version": found.get("Version")}


def _free_port() -> bool:
    import socket

    try:
        with socket.create_server(("127.0.0.1", 0)):
            return True
    except OSError:
        return False

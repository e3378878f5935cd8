"""One command in a container of its own, and what it said."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .engine import CHUNK, LONG, Engine, EngineError


def run(
    engine: Engine,
    body: dict[str, Any],
    *,
    folders: Mapping[str, Path] | None = None,
    given: Mapping[str, Path] | None = None,
    stderr: bool = True,
    seconds: float = LONG,
) -> tuple[int, bytes]:
    """Run a container to its end and remove it.

    Args:
        engine: The engine.
        body: The container, as the engine's API has it (``Image``, ``Cmd``, ``HostConfig`` …).
        folders: Folders of this machine by their places in the container, which writes to them. They are mounted; an
            engine on another machine gets copies, and what came of the first one is brought back.
        given: The same of files and folders that are only read.
        stderr: Whether what was written there is part of the answer.
        seconds: Time that it may take.

    Returns:
        Its exit code and its output.

    Raises:
        EngineError: It cannot be made or started.
        TargetUnavailable: The engine does not answer.
    """
    folders, given = folders or {}, given or {}
    if (folders or given) and engine.local:
        binds = [f"{here}:{there}" for there, here in folders.items()]
        binds += [f"{here}:{there}:ro" for there, here in given.items()]
        body = {**body, "HostConfig": {**(body.get("HostConfig") or {}), "Binds": binds}}
    elif folders or given:
        body = {**body, "User": "0:0"}  # to whom copies belong
    id_ = str(engine.call("POST", "/containers/create", body=body, seconds=60.0)["Id"])
    try:
        if (folders or given) and not engine.local:
            _copy_in(engine, id_, {**folders, **given})
        engine.call("POST", f"/containers/{id_}/start", seconds=60.0)
        status = int(engine.call("POST", f"/containers/{id_}/wait", seconds=seconds)["StatusCode"])
        query = {"stdout": "1", "stderr": "1" if stderr else "0"}
        data = engine.call("GET", f"/containers/{id_}/logs", query=query, seconds=60.0)
        if folders and not engine.local and status == 0:
            _copy_out(engine, id_, *next(iter(folders.items())))
        return status, unframed(data if isinstance(data, bytes) else b"")
    finally:
        try:
            engine.call("DELETE", f"/containers/{id_}", query={"force": "1", "v": "1"}, seconds=60.0)
        except EngineError as error:
            if error.status not in (404, 409):
                raise


def _copy_in(engine: Engine, id_: str, folders: Mapping[str, Path]) -> None:
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for there, here in folders.items():
                archive.add(here.resolve(), there.lstrip("/"), filter=_of_root)
        file.seek(0)
        target = f"/containers/{id_}/archive"
        headers = {"Content-Type": "application/x-tar"}
        pieces = iter(lambda: file.read(CHUNK), b"")
        with engine.answer("PUT", target, query={"path": "/"}, body=pieces, headers=headers) as answer:
            answer.read()


def _of_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _copy_out(engine: Engine, id_: str, there: str, here: Path) -> None:
    """Bring a folder back; its name in the archive is its own last part."""
    with (
        engine.answer("GET", f"/containers/{id_}/archive", query={"path": there}) as answer,
        tarfile.open(fileobj=answer, mode="r|") as archive,
    ):
        for member in archive:
            member.name = member.name.partition("/")[2]
            if member.islnk():
                member.linkname = member.linkname.partition("/")[2]
            if member.name:
                archive.extract(member, here, filter="tar")


def unframed(data: bytes) -> bytes:
    """The text of a container's log: the engine frames stdout and stderr (Engine API, "Attach to a container")."""
    parts = []
    at = 0
    while at + 8 <= len(data) and data[at] in (0, 1, 2) and data[at + 1 : at + 4] == b"\0\0\0":
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        parts.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return b"".join(parts) if parts else data

"""One command in a container of its own, and what it said."""

from __future__ import annotations

from typing import Any

from .engine import LONG, Engine, EngineError


def run(engine: Engine, body: dict[str, Any], *, stderr: bool = True, seconds: float = LONG) -> tuple[int, bytes]:
    """Run a container to its end and remove it.

    Args:
        engine: The engine.
        body: The container, as the engine's API has it (``Image``, ``Cmd``, ``HostConfig`` …).
        stderr: Whether what was written there is part of the answer.
        seconds: Time that it may take.

    Returns:
        Its exit code and its output.

    Raises:
        EngineError: It cannot be made or started.
        TargetUnavailable: The engine does not answer.
    """
    id_ = str(engine.call("POST", "/containers/create", body=body, seconds=60.0)["Id"])
    try:
        engine.call("POST", f"/containers/{id_}/start", seconds=60.0)
        status = int(engine.call("POST", f"/containers/{id_}/wait", seconds=seconds)["StatusCode"])
        query = {"stdout": "1", "stderr": "1" if stderr else "0"}
        data = engine.call("GET", f"/containers/{id_}/logs", query=query, seconds=60.0)
        return status, unframed(data if isinstance(data, bytes) else b"")
    finally:
        try:
            engine.call("DELETE", f"/containers/{id_}", query={"force": "1", "v": "1"}, seconds=60.0)
        except EngineError as error:
            if error.status not in (404, 409):
                raise


def unframed(data: bytes) -> bytes:
    """The text of a container's log: the engine frames stdout and stderr (Engine API, "Attach to a container")."""
    parts = []
    at = 0
    while at + 8 <= len(data) and data[at] in (0, 1, 2) and data[at + 1 : at + 4] == b"\0\0\0":
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        parts.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return b"".join(parts) if parts else data

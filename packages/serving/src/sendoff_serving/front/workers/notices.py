"""What a worker says of itself, and when it may: looked at before anything is changed by it."""

from __future__ import annotations

import json
from typing import Any

from ...protocol import Frame, Kind, ProtocolError

_NEEDED: dict[int, tuple[str, dict[str, type]]] = {
    Kind.HELLO: ("starting", {"protocol": object, "pid": int}),
    Kind.READY: ("init", {"shape": str, "parameters": list, "required": list}),
    Kind.FAILED: ("init", {"code": str, "message": str}),
    Kind.ENDED: ("", {"pid": int, "returncode": int}),
    Kind.NOTE: ("", {"note": str}),
}
"""Frames that say something of the worker: in which state it may send one ("" for any), and what it has to hold."""


def checked(frame: Frame, state: str) -> dict[str, Any]:
    """Return what a frame says, as an object: a script can write into the socket too.

    Raises:
        ProtocolError: a worker does not send this, not now, or not so.
    """
    when, needed = _NEEDED.get(frame.kind, (None, {}))
    if when is None or when not in ("", state):
        raise ProtocolError(f"a worker that is {state} does not send frames of kind {frame.kind}")
    content = json.loads(frame.bodies[0])
    if not isinstance(content, dict):
        raise ProtocolError(f"a frame of kind {frame.kind} holds no object")
    for name, kind in needed.items():
        if not isinstance(content.get(name), kind):
            raise ProtocolError(f"a frame of kind {frame.kind} has no {name!r} as it should be")
    return content

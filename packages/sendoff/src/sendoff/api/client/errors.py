"""Making the server's error again, as the class that it raised."""

from __future__ import annotations

from typing import Any

from ... import errors

_CLASSES = {
    cls.code: cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.SendoffError)
}
"""Only the classes of `sendoff.errors` itself: the SDK's exceptions inherit their codes and must not replace them."""


def from_payload(payload: dict[str, Any]) -> errors.SendoffError:
    """The error of a payload; an unknown code gives a plain `SendoffError`."""
    cls = _CLASSES.get(str(payload.get("code")), errors.SendoffError)
    error = cls(str(payload.get("message", "unknown error")), hint=str(payload.get("hint") or ""))
    error.context = dict(payload.get("context") or {})
    return error

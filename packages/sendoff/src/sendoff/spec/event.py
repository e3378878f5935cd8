"""An event (spec/behaviour.md sec. 18)."""

from __future__ import annotations

from typing import Any

from .parse import Spec


class StoredEvent(Spec):
    """Something that happened, as CloudEvents 1.0 has it; ``time`` is ISO 8601."""

    id: str
    source: str
    subject: str
    type: str
    time: str
    data: dict[str, Any]
    specversion: str = "1.0"

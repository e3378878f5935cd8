"""Text of others for a terminal: what would move the cursor, colour, hide or turn other text is shown, not done."""

from __future__ import annotations

import re

_UNSEEN = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and line end, DEL, C1 (0x9b begins a sequence as ESC [ does)
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # controls of direction
    r"\u2028\u2029\ud800-\udfff"  # line ends that few know, and halves of characters, which no terminal takes
)
_CONTROLS = re.compile(f"[{_UNSEEN}]")
_BEYOND_ASCII = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")


def visible(text: str) -> str:
    r"""A text with its control characters written out: ``\x1b``, ``\u202e``. Tabs and line ends stay."""
    return _CONTROLS.sub(lambda found: _escape(found[0], short=True), text)


def visible_json(text: str) -> str:
    r"""A JSON text of the same value, with what JSON lets through written as ``\u009b``."""
    return _BEYOND_ASCII.sub(lambda found: _escape(found[0], short=False), text)


def has_controls(text: str) -> bool:
    """Whether there is anything to write out."""
    return _CONTROLS.search(text) is not None


def _escape(character: str, *, short: bool) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if short and code < 0x100 else f"\\u{code:04x}"

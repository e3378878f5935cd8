"""The character set that a request's Content-Type declares."""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb";\s*charset\s*=\s*(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)


def is_usual(content_type: bytes) -> bool:
    """Whether a body is UTF-8, as nearly every client's is; whatever else is declared is not."""
    try:
        return of(content_type) is None
    except LookupError:
        return False


def of(content_type: bytes) -> str | None:
    """Return the declared character set by Python's name for it; None for UTF-8, its part ASCII, and none declared.

    Raises:
        LookupError: nobody here knows it; the text is its name.
    """
    found = _DECLARED.search(content_type)
    if found is None:
        return None
    name = (found[1] or found[2] or b"").decode("latin-1").strip()
    try:
        b"a".decode(name)  # base64 and zlib are codecs too, and no character sets: this refuses them
    except UnicodeError:
        pass  # one of those in which a byte alone is no character
    except (LookupError, ValueError):
        raise LookupError(name) from None
    known = codecs.lookup(name).name
    return None if known in ("utf-8", "ascii") else known

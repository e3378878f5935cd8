"""What the requests of a service are checked by, as documents: whoever runs the service makes files of them."""

from __future__ import annotations

from typing import Any

from .parse import Spec


class Pem(Spec):
    """A certificate with its chain and the key that belongs to it, as PEM text."""

    certificate: str
    key: str


class Access(Spec):
    """Keys, tokens and certificates of one service (docs/authentication.md).

    ``document`` is what the scoring server reads: salted digests of keys and public keys of tokens, nothing that opens
    anything. ``made`` orders documents of one service: of two the greater is in force, whichever arrives last.
    """

    document: dict[str, Any]
    made: int
    certificates: dict[str, Pem] = {}
    """By the names that ``document`` has for them."""
    certificate: str | None = None
    """Which of them belongs to the revision that is wanted; a gateway before the scoring server needs it."""

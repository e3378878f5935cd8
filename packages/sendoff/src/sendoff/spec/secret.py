"""Secrets of a workspace: what SDK v1 kept in its key vault (spec/surface.md sec. 2.3)."""

from __future__ import annotations

from .names import check
from .parse import Spec


class SetSecret(Spec):
    """Body of ``PUT /v1/workspaces/{ws}/secrets/{name}``."""

    value: str
    content_type: str | None = None


class Secret(Spec):
    """A secret as the API shows it; in lists ``value`` is left out."""

    name: str
    value: str | None = None
    content_type: str | None = None


def check_secret(name: str) -> str:
    """A secret's name: 1 to 127 letters, digits, ``-``, ``_`` and ``.``.

    Raises:
        InvalidInput: It is none.
    """
    return check(name, r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}", "secret name", "1 to 127 letters, digits, '-', '_' or '.'")

"""Bodies and answers that belong to the API itself and to no noun of ``sendoff.spec``."""

from __future__ import annotations

from typing import Any

from .parse import Spec


class Health(Spec):
    """That the API answers, and which one: ``mode`` is ``embedded`` or ``server``, ``schema`` the store's migration."""

    status: str
    version: str
    mode: str


class Digests(Spec):
    """Body of ``POST /v1/blobs/missing``: ``sha256:<hex>`` each."""

    digests: list[str]


class MissingBlobs(Spec):
    """Which digests the store lacks, and the blob store's address to write them to."""

    missing: list[str]
    location: str


class Sizes(Spec):
    """Body of ``POST /v1/blobs/known-sizes``: sizes in bytes."""

    sizes: list[int]


class KnownSizes(Spec):
    """Those of the asked sizes that some stored blob has: a file of any other size is new for certain."""

    known: list[int]
    location: str


class Rollback(Spec):
    """Body of ``POST …/rollback``; no revision means the newest that succeeded before the present one."""

    revision: int | None = None


class CollectGarbage(Spec):
    """Body of ``POST /v1/gc``: with ``dry_run`` nothing is removed."""

    dry_run: bool = False


class Facts(Spec):
    """Named facts about the machine or about what was done."""

    facts: dict[str, Any]


class Logs(Spec):
    """The newest log lines, oldest first, as one text."""

    text: str


class BuiltEnvironment(Spec):
    """An environment that stands on the server's machine: its key and its interpreter's path."""

    name: str
    version: str
    key: str
    python: str


class ErrorBody(Spec):
    """An error as every route answers it."""

    code: str
    message: str
    hint: str = ""
    context: dict[str, Any] = {}


class ErrorAnswer(Spec):
    """Wraps the error."""

    error: ErrorBody

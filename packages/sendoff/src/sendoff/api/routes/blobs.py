"""Which files the blob store has. The files themselves are written to its location, not sent through the API."""

from __future__ import annotations

from ...core import Core
from ...spec.bodies import Digests, KnownSizes, MissingBlobs, Sizes
from ..route import Call, Route


def missing(core: Core, call: Call) -> MissingBlobs:
    """Which digests are not stored."""
    return MissingBlobs(missing=core.store.blobs.missing(call.body.digests), location=core.store.blobs.location)


def known_sizes(core: Core, call: Call) -> KnownSizes:
    """Which sizes some stored blob has."""
    return KnownSizes(known=core.store.blobs.known_sizes(call.body.sizes), location=core.store.blobs.location)


ROUTES = (
    Route(
        method="POST",
        path="/blobs/missing",
        handler=missing,
        summary="Which digests the store lacks, and where to write them",
        body=Digests,
        answers={200: MissingBlobs},
    ),
    Route(
        method="POST",
        path="/blobs/known-sizes",
        handler=known_sizes,
        summary="Which sizes some stored blob has: a file of another size is new",
        body=Sizes,
        answers={200: KnownSizes},
    ),
)

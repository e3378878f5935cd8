"""What the API says of itself and of its machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import __version__
from ...core import Core
from ...spec.bodies import Facts, Health
from ..route import Call, Route


def health(core: Core, call: Call) -> Health:
    """That it answers. Opens nothing."""
    return Health(status="ok", version=__version__, mode=core.mode)


def doctor(core: Core, call: Call) -> Facts:
    """What this machine can do."""
    from ..doctor import examine

    return Facts(facts=examine(core))


def routes(described: Callable[[], Sequence[Route]]) -> tuple[Route, ...]:
    """The routes of facts.

    Args:
        described: Gives all routes of the API, for the document about them.
    """

    def openapi(core: Core, call: Call) -> dict[str, Any]:
        """The document that describes all routes."""
        from ..openapi import document

        return document(described())

    return (
        Route(method="GET", path="/health", handler=health, summary="That the API answers", answers={200: Health}),
        Route(
            method="GET",
            path="/openapi.json",
            handler=openapi,
            summary="This API as an OpenAPI 3.1 document",
            answers={200: dict[str, Any]},
        ),
        Route(
            method="GET",
            path="/doctor",
            handler=doctor,
            summary="What the API's machine can do: interpreters, Docker, disk, the store",
            answers={200: Facts},
        ),
    )

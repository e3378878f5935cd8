"""Carrying a request: the form, and the way within this process. Over HTTP: ``http_transport``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..spec.messages import Request, Response

if TYPE_CHECKING:
    from ..connections import Way


class Transport(Protocol):
    """Carries one request and brings its response."""

    where: str
    embedded: bool

    @property
    def way(self) -> Way:
        """How connections to other machines are opened."""

    def send(self, request: Request, timeout: float | None) -> Response:
        """Send and wait, at most ``timeout`` seconds for each read (None: for ever)."""

    def close(self) -> None:
        """Give up connections; a later send opens new ones."""


class Application(Protocol):
    """What answers requests in this process."""

    def handle(self, request: Request) -> Response:
        """Answer one request."""

    def close(self) -> None:
        """Give up what is open; a later request opens it again."""


class InMemoryTransport:
    """Calls the application in this process.

    Args:
        home: The embedded store's folder.
        make: Makes the application of a home; called at the first request.
    """

    embedded = True

    def __init__(self, home: Path, make: Callable[[Path], Application]) -> None:
        self.home = home
        self.where = str(home)
        self._make = make
        self._lock = threading.Lock()
        self._application: Application | None = None

    @cached_property
    def way(self) -> Way:
        from .http_transport import way_of  # what opens connections loads ssl, for commands that may open none

        return way_of(self.home)

    def send(self, request: Request, timeout: float | None) -> Response:
        with self._lock:
            if self._application is None:
                self._application = self._make(self.home)
            application = self._application
        return application.handle(request)

    def close(self) -> None:
        with self._lock:
            application, self._application = self._application, None
        if application is not None:
            application.close()

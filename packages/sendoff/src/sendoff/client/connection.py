"""Choosing where the API is: in this process, or on a server."""

from __future__ import annotations

import os
from pathlib import Path

from ..spec.home import default_home
from .calls import Client
from .transport import Application, InMemoryTransport


def connect(home: Path | str | None = None, server: str | None = None, token: str | None = None) -> Client:
    """A client of the API. Nothing is opened and nobody is called before the first call.

    Args:
        home: Folder of the embedded store; None takes ``SENDOFF_HOME``, then ``~/.sendoff``. Giving it means embedded,
            even if ``SENDOFF_SERVER`` is set.
        server: Address of a Sendoff server, ``http://host:port``; None takes ``SENDOFF_SERVER`` (empty: embedded).
        token: The server's bearer token; None takes ``SENDOFF_TOKEN``.

    Raises:
        InvalidInput: The server's address is no http or https URL.
    """
    if server is None and home is None:
        server = os.environ.get("SENDOFF_SERVER")
    if server:
        from .http_transport import HttpTransport  # http.client and ssl are a twentieth of a short command's time

        token = token if token is not None else os.environ.get("SENDOFF_TOKEN")
        return Client(HttpTransport(server, token, Path(home).absolute() if home is not None else default_home()))
    return Client(InMemoryTransport(Path(home).absolute() if home is not None else default_home(), _application))


def _application(home: Path) -> Application:
    from ..api.application import embedded  # the routes are only needed where they are answered

    if (home / "settings.toml").exists():
        from ..spec.settings import load_settings

        load_settings(home, os.environ)  # a wrong one is told at once, not when a command comes to need it
    return embedded(home)

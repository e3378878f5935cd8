"""One client for each place, shared by the objects of a process."""

from __future__ import annotations

import os
import threading

from ..client import Client, connect

_lock = threading.Lock()
_clients: dict[tuple[str | None, ...], Client] = {}


def client() -> Client:
    """The client of ``SENDOFF_SERVER`` and ``SENDOFF_TOKEN``, or of the store in ``SENDOFF_HOME``, as set now."""
    names = ("SENDOFF_HOME", "SENDOFF_SERVER", "SENDOFF_TOKEN", "HOME")
    key = (*(os.environ.get(name) for name in names), str(os.getpid()))
    with _lock:
        if key not in _clients:
            _clients[key] = connect()
        return _clients[key]

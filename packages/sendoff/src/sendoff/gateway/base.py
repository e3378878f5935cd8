"""What every gateway is told of a service: where it listens, and what is behind it."""

from __future__ import annotations

from typing import NamedTuple


class Route(NamedTuple):
    """A service's address and the servers behind it, ``host:port`` each.

    ``certificate`` is the PEM file of a certificate with its chain, with the key in the file of the same stem and the
    suffix ``.key``: then clients speak HTTPS with the gateway. Files never change; a new certificate has new ones.
    """

    name: str
    host: str
    port: int
    endpoints: tuple[str, ...] = ()
    certificate: str | None = None

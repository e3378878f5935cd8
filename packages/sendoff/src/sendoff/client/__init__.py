"""The client of the API: what SDK and command line use, embedded or over the wire, with the same calls."""

from .calls import Client
from .connection import connect
from .transfer import Transfer

__all__ = ["Client", "Transfer", "connect"]

"""``python -m sendoff.api --home DIR``: the server without the command line (tests, service units)."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from ..errors import SendoffError
from ..spec.home import default_home
from .server import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m sendoff.api", description="Serve Sendoff's HTTP API.")
    parser.add_argument("--home", default=str(default_home()), help="the store's folder")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--token", default=os.environ.get("SENDOFF_TOKEN"), help="SENDOFF_TOKEN when left out, else made and printed"
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        serve(given.home, given.host, given.port, given.token)
    except SendoffError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

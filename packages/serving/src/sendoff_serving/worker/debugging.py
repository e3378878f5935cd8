"""Attaching a debugger: AZUREML_DEBUG_PORT names the port at which one waits (spec/scoring-server.md sec. 1)."""

import importlib
import sys
from typing import Any

MISSING = "AZUREML_DEBUG_PORT is set, and the package debugpy is not in this environment: add it to the environment"


def connect(port: str) -> bool:
    """Connect to a debugger that listens on this machine, and wait for it; for development only.

    Args:
        port: the debugger's port.

    Returns:
        False when ``debugpy`` is not installed in the user's environment.
    """
    try:
        debugpy: Any = importlib.import_module("debugpy")
    except ImportError:
        return False
    sys.stderr.write("Connecting to a debugger on port %s; do not use this in production\n" % port)
    debugpy.connect(("127.0.0.1", int(port)))
    debugpy.wait_for_client()
    return True

"""What ties a worker to its front: it does not outlive it."""

import os
import sys


def die_with(parent: int) -> None:
    """End this process when the front ends, however it ends (Linux; elsewhere the closed socket says so)."""
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    except (ImportError, OSError, AttributeError):
        return  # an interpreter without ctypes: the closed socket ends the worker once run() returns
    if os.getppid() != parent:
        os._exit(0)  # the front went before the call above

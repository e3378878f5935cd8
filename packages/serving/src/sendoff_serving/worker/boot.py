"""Start of a worker process: run by path in the user's interpreter, never imported by the front.

Nothing of ours is installed into the user's environment. This file makes the package ``sendoff_serving``
importable by its folder alone, puts the import names that entry scripts expect first on the path, and hands
over to the worker's loop. It must not import anything but the standard library before that.

    python -u boot.py --socket FD --page FD --parent PID
"""

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


def keep_freed_memory() -> None:
    """Let glibc keep freed blocks of up to 32 MiB for the next request.

    Its first setting gives every large block back to the kernel at once and pays for each page again: for bodies
    of a mebibyte that was half of the time.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        library = ctypes.CDLL(None)
        library.mallopt(-1, 64 << 20)  # M_TRIM_THRESHOLD
        library.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD
    except (ImportError, OSError, AttributeError):
        return  # another C library, which has its own ways


def _lay_path(here: str) -> None:
    import types

    # The folder of this script is first on the path; its module names would hide the user's.
    if sys.path and os.path.realpath(sys.path[0] or os.curdir) == here:
        del sys.path[0]
    package = types.ModuleType("sendoff_serving")
    package.__path__ = [os.path.dirname(here)]
    sys.modules["sendoff_serving"] = package
    sys.path.insert(0, os.path.join(here, "shims"))


def main(arguments: "list[str]") -> int:
    given = dict(zip(arguments[::2], arguments[1::2]))
    die_with(int(given["--parent"]))
    keep_freed_memory()
    _lay_path(os.path.dirname(os.path.realpath(__file__)))
    from sendoff_serving.worker.loop import work

    return work(int(given["--socket"]), int(given["--page"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

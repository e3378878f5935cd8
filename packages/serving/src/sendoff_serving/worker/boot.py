"""Start of a worker process: run by path in the user's interpreter, never imported by the front.

Nothing of ours is installed into the user's environment. This file makes the package ``sendoff_serving``
importable by its folder alone, puts the import names that entry scripts expect first on the path, and hands
over to the worker's loop. It must not import anything but the standard library before that.

    python -u boot.py --socket FD --page FD --parent PID
"""

import os
import sys


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
    _lay_path(os.path.dirname(os.path.realpath(__file__)))
    from sendoff_serving.allocator import keep_freed_memory
    from sendoff_serving.worker.parent import die_with

    # Before anything heavy is loaded: a front that is killed meanwhile must not leave a worker that nobody ends.
    die_with(int(given["--parent"]))
    keep_freed_memory()
    from sendoff_serving.worker.loop import work

    return work(int(given["--socket"]), int(given["--page"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

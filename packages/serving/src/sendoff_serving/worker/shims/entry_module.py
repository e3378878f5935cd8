"""The entry script, for the processes that it starts.

The worker itself loads the script under this name. A child that is not forked (multiprocessing's "spawn" and
"forkserver", joblib's loky) begins with an empty interpreter and the worker's import path, and imports what it is sent
functions of: this file, which loads the script there. ``init()`` is not called, as it is not for any other module.
"""

import importlib
import multiprocessing
import os
import sys
import types
from typing import Optional

# A script may choose its start method where it is imported. A child has its parent's already: to choose again raises
# there, the child ends, and a pool starts the next one for ever.
_choose = multiprocessing.set_start_method


def _keep_start_method(method: Optional[str], force: bool = False) -> None:
    if force or multiprocessing.get_start_method(allow_none=True) is None:
        _choose(method, force)


_WORKER = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def _load() -> None:
    if "sendoff_serving" not in sys.modules:  # as boot.py makes it
        package = types.ModuleType("sendoff_serving")
        package.__path__ = [os.path.dirname(_WORKER)]
        sys.modules["sendoff_serving"] = package
    importlib.import_module("sendoff_serving.worker.modules").install_moved_packages()
    multiprocessing.set_start_method = _keep_start_method
    script = importlib.import_module("sendoff_serving.worker.script")
    script.load(os.environ[script.VARIABLE])  # puts the script's own module in the place of this one


_load()

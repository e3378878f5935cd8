"""GNU OpenMP and fork: its threads have to be gone before, or a forked worker waits for them for ever.

scikit-learn's trees and clusters, LightGBM, XGBoost and PyTorch run parts of their work on threads of libgomp, which
keeps them for the next time in the thread that asked. A fork copies what it remembers of them and not the threads.
Other libraries (OpenBLAS, MKL, LLVM's OpenMP) look after that themselves.
"""

import os
import re
import threading
from typing import List, Optional

_LIBRARY = re.compile(r"/libgomp[^/]*\.so[^/]*$")
_HARD = 2  # omp_pause_hard of OpenMP 5.0: give all resources up; they come again with the next use


def let_threads_go() -> Optional[str]:
    """End the threads that libgomp keeps for this thread; to be called before each fork.

    Returns:
        The file of a libgomp that is older than OpenMP 5.0 and cannot do that, where there are threads of no Python.
    """
    old = None
    for library in _libraries():
        try:
            import ctypes

            ctypes.CDLL(library).omp_pause_resource_all(_HARD)
        except (ImportError, OSError, AttributeError):
            old = library
    return old if old is not None and _has_native_threads() else None


def _libraries() -> List[str]:
    """The files of libgomp that are loaded: packages bring their own."""
    try:
        with open("/proc/self/maps") as maps:
            found = {line.rstrip("\n").split(None, 5)[-1] for line in maps if "libgomp" in line}
    except OSError:
        return []
    return sorted(name for name in found if _LIBRARY.search(name))


def _has_native_threads() -> bool:
    try:
        return len(os.listdir("/proc/self/task")) > threading.active_count()
    except OSError:
        return False

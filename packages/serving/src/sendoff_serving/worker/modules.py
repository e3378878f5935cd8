"""Where the script's imports are found: its folders, and packages that have moved since it was written."""

import importlib
import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, List, Optional

# Import names of 2019 and 2020 that scikit-learn has dropped, and where the same code lives now.
# Pickles written then name them too.
MOVED = {"sklearn.externals.joblib": "joblib", "sklearn.externals.six": "six"}


def lay_path(folders: List[str]) -> None:
    """Append the script's folders to the import path, each once (spec/scoring-server.md sec. 3)."""
    for folder in folders:
        if folder not in sys.path:
            sys.path.append(folder)


class _Redirect(importlib.abc.Loader):
    def __init__(self, target: str) -> None:
        self._target = target

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        return None

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what is in sys.modules afterwards.
        sys.modules[module.__name__] = importlib.import_module(self._target)


class _MovedFinder(importlib.abc.MetaPathFinder):
    """Finds a moved package where it is now, unless it is still where it was.

    Asked before the other finders: they would load a moved package's modules a second time under the old name,
    and objects of one copy are strangers to the other.
    """

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Optional[ModuleSpec]:
        if not fullname.startswith("sklearn.externals."):
            return None
        for old, new in MOVED.items():
            if fullname == old and PathFinder.find_spec(fullname, path) is not None:
                return None
            if fullname == old or (
                fullname.startswith(old + ".") and getattr(sys.modules.get(old), "__name__", old) == new
            ):
                name = new + fullname[len(old) :]
                try:
                    known = name in sys.modules or importlib.util.find_spec(name) is not None
                except ImportError:
                    known = False
                return ModuleSpec(fullname, _Redirect(name)) if known else None
        return None


def install_moved_packages() -> None:
    """Let imports of moved packages find them, where the installed versions lack the old name."""
    if not any(isinstance(finder, _MovedFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _MovedFinder())


def hint_for(error: BaseException) -> Optional[str]:
    """Say which package to add when an import has failed."""
    if not isinstance(error, ImportError) or not error.name:
        return None
    package = error.name.partition(".")[0]
    if package == "sklearn" and "externals" in error.name:
        package = MOVED.get(error.name, "joblib")
    if package in sys.modules and package not in MOVED.values():
        return None
    return "the package that provides %r is not in this environment (%s): add it to the environment" % (
        package,
        sys.prefix,
    )

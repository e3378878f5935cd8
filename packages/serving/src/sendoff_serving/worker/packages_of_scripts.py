"""A script that lies in a package: what its relative imports (``from .helper import clean``) are relative to."""

import ast
import importlib
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from typing import Any, Optional

# The name of a script's topmost package where another module has its own: a folder called "code" is one of
# Python's, and "test" too.
STAND_IN = "entry_package"


class ScriptSpec(ModuleSpec):
    """The spec of a module that is called otherwise than its place in a package would have it."""

    package = ""

    @property
    def parent(self) -> str:
        return self.package


def package_of(path: str) -> Optional[str]:
    """Import the package that a script lies in, if it imports from it.

    Args:
        path: the script file.

    Returns:
        The package's name; None where the script has no relative imports, or its folder is no package.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isfile(os.path.join(folder, "__init__.py")) or not _imports_relatively(path):
        return None
    top = folder
    while os.path.isfile(os.path.join(os.path.dirname(top), "__init__.py")):
        top = os.path.dirname(top)
    below = os.path.relpath(folder, top)
    parts = [] if below == os.curdir else below.split(os.sep)
    name = ".".join([os.path.basename(top)] + parts)
    if _is_found(os.path.basename(top), top):
        importlib.import_module(name)
        return name
    _import_stand_in(top)
    name = ".".join([STAND_IN] + parts)
    importlib.import_module(name)
    return name


def _imports_relatively(path: str) -> bool:
    with open(path, "rb") as file:
        try:
            tree = ast.parse(file.read())
        except (SyntaxError, ValueError):
            return False  # told when it is executed
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def _is_found(name: str, folder: str) -> bool:
    """Whether importing a name brings the package of a folder."""
    try:
        spec: Any = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    places = getattr(spec, "submodule_search_locations", None) or []
    return any(os.path.realpath(place) == os.path.realpath(folder) for place in places)


def _import_stand_in(folder: str) -> None:
    spec: Any = importlib.util.spec_from_file_location(
        STAND_IN, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[STAND_IN] = module
    spec.loader.exec_module(module)

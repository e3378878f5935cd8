"""Where the script's imports are found: its folders, and packages that have moved since it was written."""

import importlib
import importlib.util
import os
import re
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, List, Optional

from . import model_hints, models

# Import names of 2019 and 2020 that scikit-learn has dropped, and where the same code lives now.
# Pickles written then name them too.
MOVED = {"sklearn.externals.joblib": "joblib", "sklearn.externals.six": "six"}


def lay_path(folders: List[str]) -> None:
    """Append the script's folders to the import path, each once (spec/scoring-server.md sec. 3)."""
    for folder in folders:
        if folder not in sys.path:
            sys.path.append(folder)


# Neither class has a base of importlib.abc: the import system asks for none, and that module brings a quarter of what a
# worker's start takes.
class _Redirect:
    def __init__(self, target: str) -> None:
        self._target = target

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        return None

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what is in sys.modules afterwards.
        sys.modules[module.__name__] = importlib.import_module(self._target)


class _MovedFinder:
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
                return ModuleSpec(fullname, _Redirect(name)) if known else None  # type: ignore[arg-type]
        return None


def install_moved_packages() -> None:
    """Let imports of moved packages find them, where the installed versions lack the old name."""
    if not any(isinstance(finder, _MovedFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _MovedFinder())


# Lines that tools leave in a file and Python does not know.
_LEFTOVERS = (
    ("%", "line {} is a notebook's magic command ({}): remove it from the script"),
    ("!", "line {} is a notebook's shell command ({}): remove it from the script"),
    ("<<<<<<<", "line {} is the mark of a merge conflict that is not resolved ({})"),
    ("=======", "line {} is the mark of a merge conflict that is not resolved ({})"),
    (">>>>>>>", "line {} is the mark of a merge conflict that is not resolved ({})"),
)
# A name in braces where a value should be: {{model_name}}, <model_name>, ${model_name}, __MODEL_NAME__ is valid Python.
_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}|<<[^<>]*>>|<[A-Za-z_][\w -]*>|\$\{[^{}]*\}|\{%.*%\}")


def _syntax_hint(error: SyntaxError) -> Optional[str]:
    """Say what a file that is not Python most likely holds."""
    lines = [error.text or ""]
    try:
        with open(str(error.filename), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        pass  # a string that was compiled: its line is in the error
    wrong = (error.lineno or 1) - 1 if len(lines) > 1 else 0
    # Python may stop before or after the line that is meant, as in an open bracket.
    for index in sorted(range(len(lines)), key=lambda index: abs(index - wrong))[:9]:
        text = lines[index].strip()
        for start, hint in _LEFTOVERS:
            if text.startswith(start):
                return hint.format(index + 1, text[:60])
    if wrong < len(lines) and _PLACEHOLDER.search(lines[wrong]):
        return "line %d holds a placeholder that was not filled in (%s)" % (wrong + 1, lines[wrong].strip()[:60])
    return None


def hidden_siblings(folders: List[str]) -> List[str]:
    """Return sentences about the script's own modules that an installed package of the same name hides.

    Args:
        folders: the script's folders, which stand last on the import path.
    """
    found = []
    for folder in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for entry in names:
            name, ending = os.path.splitext(entry)
            path = os.path.join(folder, entry)
            if not (name.isidentifier() and (ending == ".py" or os.path.isfile(os.path.join(path, "__init__.py")))):
                continue
            module = sys.modules.get(name)
            origin = getattr(module, "__file__", None)
            if module is None or not origin or name == "__main__":
                continue
            own = path if ending else os.path.join(path, "__init__.py")
            if not any(_is_below(origin, other) for other in folders):
                found.append(
                    "import %s is %s, not the file beside the script (%s): rename one of them" % (name, origin, own)
                )
    return found


def _is_below(path: str, folder: str) -> bool:
    real = os.path.realpath(path)
    return real.startswith(os.path.realpath(folder) + os.sep) and "site-packages" not in real


_PROVIDED = (
    "Model.get_model_path, Run and Workspace of azureml.core, azureml.contrib.services, azureml.monitoring, "
    "azureml.ai.monitoring, azureml.telemetry, azureml.exceptions, the logging of azureml.automl.core"
)


def _azureml_hint(name: str) -> str:
    parts = name.split(".")
    package = "azureml-" + "-".join(parts[1:4] if parts[1:2] in (["automl"], ["train"]) else parts[1:3])
    return (
        "%s is not among what Sendoff provides while scoring (%s); if the script needs it, add the package that has "
        "it, such as %s, to the environment" % (name, _PROVIDED, package)
    )


# What scripts call modules whose own name is another.
_CALLED = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "tf": "import tensorflow as tf",
    "plt": "import matplotlib.pyplot as plt",
    "ort": "import onnxruntime as ort",
    "rt": "import onnxruntime as rt",
    "xgb": "import xgboost as xgb",
    "lgb": "import lightgbm as lgb",
    "Model": "from azureml.core.model import Model",
    "joblib": "import joblib",
}


def _forgotten_import(error: NameError) -> Optional[str]:
    found = re.match(r"(?:global )?name '(\w+)' is not defined", str(error))
    if found is None:
        return None
    name = found.group(1)
    line = _CALLED.get(name)
    if line is None:
        try:
            known = importlib.util.find_spec(name) is not None
        except (ImportError, ValueError):
            known = False
        if not known:
            return None
        line = "import " + name
    return "the script uses %s without importing it: add the line '%s' at its top" % (name, line)


def hint_for(error: BaseException) -> Optional[str]:
    """Say what to do when an import has failed or is missing, or the script is not Python."""
    if isinstance(error, SyntaxError):
        return _syntax_hint(error)
    if isinstance(error, NameError):
        return _forgotten_import(error)
    if isinstance(error, SystemExit):
        return "the score script ended the program; what it wrote before is in the log. It is started without arguments"
    if isinstance(error, models.ModelNotFoundException):
        return models.what_is_there()
    if isinstance(error, (ImportError, ValueError, SystemError)) and "relative import" in str(error):
        return (
            "the script's folder is no package, so nothing in it can be imported by a dot: write 'from helper import "
            "clean' for 'from .helper import clean', or put an empty file __init__.py beside the script"
        )
    lost = re.search(r"Can't get attribute '([\w.]+)' on <module '__main__'", str(error))
    if lost and isinstance(error, AttributeError):
        return (
            "the model was saved by a program that defined %s itself: define it in the score script too, or import it "
            "there, or save the model again with %s in a module of its own" % (lost.group(1), lost.group(1))
        )
    if not isinstance(error, ImportError) or not error.name:
        return model_hints.hint_for(error)
    if error.name.startswith("azureml."):
        missing = re.match(r"cannot import name '(\w+)'", str(error))
        return _azureml_hint(error.name + ("." + missing.group(1) if missing else ""))
    known = model_hints.hint_for(error)
    if known is not None:
        return known
    package = error.name.partition(".")[0]
    if package == "sklearn" and "externals" in error.name:
        package = MOVED.get(error.name, "joblib")
    if package in sys.modules and package not in MOVED.values():
        return None
    return "the package that provides %r is not in this environment (%s): add it to the environment" % (
        package,
        sys.prefix,
    )

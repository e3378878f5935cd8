"""The modules of SDK v1, made from one table when they are imported, and their names, which are Sendoff's own.

``names.json`` says of each module what it is about, which names it has, and where in Sendoff each is from. A file for
each module would hold no more than its name; only ``azureml.core``, which has a version of its own, is one.

Runs on Python 3.6. Below 3.11, and where `sendoff` is not installed, a name is a stand-in that says so when used, so
that a script which only imports it goes on.
"""

import importlib
import importlib.machinery
import json
import os
import sys

NEEDED = (3, 11)
_TABLE = None


class _MissingType(type):
    """Any use of a stand-in but naming it raises the sentence that says what is missing."""

    def __call__(cls, *args, **kwargs):
        raise NotImplementedError(cls.reason)

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError(cls.reason)


def _reason(name):
    if sys.version_info < NEEDED:
        return "azureml's {} needs Python 3.11 or newer with `pip install sendoff-ml`; this is Python {}.{}.".format(
            name, sys.version_info[0], sys.version_info[1]
        )
    return "azureml's {} is answered by Sendoff, which is not installed here: pip install sendoff-ml".format(name)


def _refuse_vendor():
    """The vendor's azureml-core in the same interpreter would be mixed with ours: say so instead (design.md sec. 2)."""
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:
        return
    try:
        found = version("azureml-core")
    except PackageNotFoundError:
        return
    raise ImportError(
        "azureml-core {} is installed in this interpreter beside sendoff-azureml: both answer to 'azureml'. "
        "Use a fresh environment, or: pip uninstall azureml-core".format(found)
    )


class Modules:
    """Finds and makes the modules that have a row in the table and no file (a finder and loader of `importlib`)."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """What `importlib` wants to know of a module before it makes it; None when there is none of that name here."""
        if not name.startswith("azureml.") or name not in _table():
            return None
        above = any(other.startswith(name + ".") for other in _table())
        return importlib.machinery.ModuleSpec(name, cls, is_package=above)

    @staticmethod
    def create_module(spec):
        """None: a module as `importlib` makes it."""

    @staticmethod
    def exec_module(module):
        """Fill a module with its names."""
        vars(module).update(take(module.__name__))


def take(module):
    """Look the names of a module up in Sendoff.

    Args:
        module: The module's own name.

    Returns:
        A dict for `globals().update`; ``__doc__`` says what the module is about.
    """
    _refuse_vendor()
    taken = {}
    for name, place in _table()[module].items():
        if name == "__doc__":
            taken[name] = place
            continue
        try:
            if sys.version_info < NEEDED:
                raise ImportError
            taken[name] = getattr(importlib.import_module(place), name)
        except ImportError as error:
            if getattr(error, "name", None) not in (None, "sendoff"):
                raise
            taken[name] = _MissingType(name, (), {"reason": _reason(name)})
    return taken


def _table():
    global _TABLE
    if _TABLE is None:
        with open(os.path.join(os.path.dirname(__file__), "names.json"), encoding="utf-8") as file:
            _TABLE = json.load(file)
    return _TABLE

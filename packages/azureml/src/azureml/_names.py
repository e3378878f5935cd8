"""One way for every module here to hand out names: they are Sendoff's own, found when a module is imported.

``names.json`` says which names a module has and where in Sendoff each is from.

Runs on Python 3.6. Below 3.11, and where `sendoff` is not installed, a name is a stand-in that says so when used, so
that a script which only imports it goes on.
"""

import importlib
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
        return "azureml's {} needs Python 3.11 or newer with `pip install sendoff`; this is Python {}.{}.".format(
            name, sys.version_info[0], sys.version_info[1]
        )
    return "azureml's {} is answered by Sendoff, which is not installed here: pip install sendoff".format(name)


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


def take(module):
    """Look the names of a module up in Sendoff.

    Args:
        module: The module's own name.

    Returns:
        A dict for `globals().update`.
    """
    _refuse_vendor()
    taken = {}
    for name, place in _table()[module].items():
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

"""Pickled models: joblib's and pickle's, also those that name modules of other times; read under the home's policy."""

import importlib
import pickle
from typing import Any, Dict, FrozenSet


class Refused(pickle.UnpicklingError):
    """The pickle imports a name that the policy does not allow."""


def load(path: str, config: Dict[str, Any]) -> Any:
    """Return the object of a pickle file.

    Args:
        path: the file; joblib's compressed ones too.
        config: the service's; "imports" lists the names that may be imported, None for any; "old_joblib" says
            that scikit-learn's own copy of joblib wrote it.

    Raises:
        Refused: the policy does not allow what it imports.
    """
    # Arrays that scikit-learn's own copy of joblib wrote are read by that copy alone, where there still is one;
    # in later releases the worker leads the old name to the package (worker/modules.py).
    joblib: Any = importlib.import_module("sklearn.externals.joblib" if config.get("old_joblib") else "joblib")
    if config.get("imports") is None:
        return joblib.load(path)
    numpy_pickle: Any = importlib.import_module(joblib.__name__ + ".numpy_pickle")
    before = numpy_pickle.NumpyUnpickler
    numpy_pickle.NumpyUnpickler = _guarded(before, frozenset(config["imports"]))
    try:
        return joblib.load(path)
    finally:
        numpy_pickle.NumpyUnpickler = before


def _guarded(base: Any, allowed: FrozenSet[str]) -> Any:
    class Guarded(base):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> Any:
            full = "%s.%s" % (module, name)
            if full not in allowed:
                raise Refused("the pickle imports %s, which the pickle policy does not allow" % full)
            return base.find_class(self, module, name)

    return Guarded

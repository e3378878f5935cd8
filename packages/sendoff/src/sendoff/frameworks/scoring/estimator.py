"""scikit-learn: any estimator or pipeline, and what other libraries make in its manner."""

import sys
import warnings
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from . import pickles, tabular
from .application import bad_input, sentence
from .row_model import RowModel

METHODS = (
    "predict_proba",
    "predict",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
    "apply",
)
"""What may be called; the first that the model has is the default (spec/behaviour.md sec. 16.3)."""

_TAKES_NAMES = ("ColumnTransformer", "FunctionTransformer", "DataFrameMapper")
_TEXTS = ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")
_MOST_CATEGORIES = 100


def load(config: Dict[str, Any], path: str) -> "Estimator":
    """Load a pickled estimator."""
    model = pickles.load(path, config)
    return Estimator(model, titled(model))


def titled(model: Any) -> str:
    """Return the class and the version of its library, for the log."""
    package = type(model).__module__.partition(".")[0]
    return "%s of %s %s" % (type(model).__name__, package, getattr(sys.modules.get(package), "__version__", ""))


class Estimator(RowModel):
    """Scores rows with an object that has scikit-learn's methods.

    Args:
        model: the object.
        title: what the log calls it.
        default: the method that is called where the request names none; None for the first of METHODS it has.
    """

    def __init__(self, model: Any, title: str, default: Optional[str] = None) -> None:
        self._model = model
        methods = [name for name in METHODS if callable(_attribute(model, name))]
        methods.sort(key=lambda name: name != default)
        if not methods:
            raise TypeError(
                "%s has none of the methods %s: such a model cannot score new rows"
                % (type(model).__name__, ", ".join(METHODS))
            )
        super().__init__(title, tabular.Columns(*_columns(model)), methods)
        parts = [type(part).__name__ for part in _parts(model)]
        self.texts = bool(parts) and self.columns.count is None and any(name in _TEXTS for name in parts)
        self._frame = any(name in _TAKES_NAMES for name in parts) or any(_foreign(part) for part in _parts(model))
        # Names are honoured here; the warning would be in the log with every request.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")

    def call(self, table: tabular.Table, method: str) -> Any:
        rows = self._rows(table)
        try:
            return tabular.plain(getattr(self._model, method)(rows))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            # The model was fitted and is not ours: what it refuses is the rows.
            raise bad_input("%s() refuses the rows: %s" % (method, sentence(error))) from error

    def _rows(self, table: tabular.Table) -> Any:
        named = table.columns or self.columns.names
        if self._frame and named is not None and table.rows and isinstance(table.rows[0], list):
            return self.columns.frame(tabular.Table(named, table.rows))
        return self.columns.array(table)

    def kinds(self) -> Dict[str, Any]:
        return dict(_encoded(self._model, self.columns.names))


def _attribute(model: Any, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except Exception:  # a property that raises where the estimator was made without it
        return None


def _columns(model: Any) -> Tuple[Optional[List[str]], Optional[int]]:
    """Return the names and the number of the columns that the model was fitted with, as far as it knows."""
    for part in [model] + list(_parts(model))[:3]:
        names = _attribute(part, "feature_names_in_")
        if names is not None:
            return [str(name) for name in names], None
        count = _attribute(part, "n_features_in_")
        if isinstance(count, (int, np.integer)):
            return None, int(count)
    for part in [model] + list(_parts(model)):  # scikit-learn before 0.24
        count = _attribute(part, "n_features_") or _attribute(part, "_n_features") or _attribute(part, "n_features")
        if isinstance(count, (int, np.integer)):
            return None, int(count)
        coefficients = _attribute(part, "coef_")
        if hasattr(coefficients, "shape") and type(part).__module__.startswith("sklearn.linear_model"):
            return None, int(coefficients.shape[-1])
        if type(part).__name__ in _TEXTS or type(part).__name__ in _TAKES_NAMES:
            return None, None
        if not _has_steps(part):
            break  # only what meets the rows first tells
    return None, None


def _has_steps(part: Any) -> bool:
    return hasattr(part, "steps") or hasattr(part, "best_estimator_") or hasattr(part, "estimators_")


def _parts(model: Any, depth: int = 0) -> Iterator[Any]:
    """The estimators that a model is made of, from the one that meets the rows first; without the model itself."""
    if depth > 6:
        return
    inner: List[Any] = []
    if hasattr(model, "best_estimator_"):
        inner = [model.best_estimator_]
    else:
        members = [name for name in ("steps", "transformers_", "transformer_list") if hasattr(model, name)]
        inner = [step[1] for name in members[:1] for step in getattr(model, name) if not isinstance(step[1], str)]
    for part in inner:
        yield part
        for below in _parts(part, depth + 1):
            yield below


def _foreign(part: Any) -> bool:
    return type(part).__module__.partition(".")[0] not in ("sklearn", "numpy", "scipy", "xgboost", "lightgbm")


def _encoded(model: Any, names: Optional[List[str]]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """The columns that an encoder of categories takes, with the categories that it knows."""
    if names is None:
        return
    for part in [model] + list(_parts(model)):
        for _, transformer, columns in getattr(part, "transformers_", []):
            if isinstance(columns, str):
                columns = [columns]
            if isinstance(columns, slice) or not hasattr(columns, "__iter__"):
                continue
            chosen = [names[at] if isinstance(at, (int, np.integer)) else str(at) for at in columns]
            for first in [transformer] + list(_parts(transformer)):
                categories = getattr(first, "categories_", None)
                if categories is not None and len(categories) == len(chosen):
                    for name, known in zip(chosen, categories):
                        kind = _category(known)
                        if kind is not None:
                            yield name, kind
                    break


def _category(known: Any) -> Optional[Dict[str, Any]]:
    values = [value for value in known if isinstance(value, str)]
    if not values:
        return None
    found: Dict[str, Any] = {"type": "string"}
    if len(values) <= _MOST_CATEGORIES:
        found["enum"] = [str(value) for value in values]
    return found

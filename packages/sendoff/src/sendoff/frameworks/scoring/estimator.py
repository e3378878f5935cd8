"""scikit-learn: any estimator or pipeline, and what other libraries make in its manner."""

import sys
import warnings
from typing import Any, Dict, Optional

from . import fitted, pickles, tabular
from .application import bad_input, cpu_share, sentence
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


def load(config: Dict[str, Any], path: str) -> RowModel:
    """Load a pickled estimator, or a pickled booster."""
    model = pickles.load(path, config)
    if type(model).__name__ == "Booster":
        from . import boosters

        return boosters.of_booster(model, cpu_share(config))
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

    cast: Any = None
    """An MLflow folder's signature, whose types the columns are given."""

    def __init__(self, model: Any, title: str, default: Optional[str] = None) -> None:
        self._model = model
        methods = [name for name in METHODS if callable(fitted.attribute(model, name))]
        methods.sort(key=lambda name: name != default)
        if not methods:
            raise TypeError(
                "%s has none of the methods %s: such a model cannot score new rows"
                % (type(model).__name__, ", ".join(METHODS))
            )
        super().__init__(title, fitted.columns_of(model), methods)
        parts = list(fitted.parts(model))
        kinds = [type(part).__name__ for part in [model] + parts]
        self.texts = bool(parts) and self.columns.count is None and any(name in fitted.TAKES_TEXTS for name in kinds)
        coded = any(column.coded for column in self.columns.known.values())
        # What was fitted with a frame is given one, but where all parts make one array of numbers of it in any case.
        self._frame = coded or any(
            fitted.foreign(part) or type(part).__name__ in fitted.TAKES_NAMES or hasattr(part, "categories_")
            for part in [model] + parts
        )
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
        if self.cast is not None:
            if self.cast.columns and table.rows and isinstance(table.rows[0], list):
                return self.cast.frame(self.columns.frame(table))
            if self.cast.tensors and table.columns is None:
                return self.cast.array(self.columns.array(table), self.hint)
        named = table.columns or self.columns.names
        if not table.rows or not isinstance(table.rows[0], list):
            return self.columns.array(table)
        if not self._frame or named is None:
            numbers = self.columns.numbers(table)
            if numbers is not None:
                return numbers
        if named is None and not any(column.coded for column in self.columns.known.values()):
            return self.columns.array(table)
        return self.columns.frame(tabular.Table(named, table.rows))

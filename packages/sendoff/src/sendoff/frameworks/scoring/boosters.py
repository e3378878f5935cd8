"""XGBoost and LightGBM models in their own files (a pickled XGBClassifier and its like are estimators)."""

import sys
from typing import Any, Dict

import numpy as np

from . import booster_columns, tabular
from .application import bad_input, cpu_share, sentence
from .columns import Columns
from .row_model import RowModel


def load(config: Dict[str, Any], path: str) -> "Booster":
    """Load a saved model with as many threads as the service has cores."""
    threads = cpu_share(config)
    if config["framework"] == "xgboost":
        import xgboost

        booster = xgboost.Booster({"nthread": threads})
        booster.load_model(path)
        return of_booster(booster, threads)
    import lightgbm

    return of_booster(lightgbm.Booster(model_file=path), threads)


def of_booster(booster: Any, threads: int) -> "Booster":
    """Return the adapter of a loaded booster of either library."""
    package = type(booster).__module__.partition(".")[0]
    title = "Booster of %s %s" % (_TITLES[package], sys.modules[package].__version__)
    if package == "xgboost":
        booster.set_param({"nthread": threads})
        return Booster(_XGBoost(booster, sys.modules[package]), title)
    return Booster(_LightGBM(booster, threads), title)


_TITLES = {"xgboost": "XGBoost", "lightgbm": "LightGBM"}


class _XGBoost:
    """XGBoost's booster as what a table is given to."""

    kind = np.float32
    """What the library makes of numbers."""

    def __init__(self, booster: Any, xgboost: Any) -> None:
        self._booster = booster
        self._xgboost = xgboost
        self._kinds = booster.feature_types
        self._more = {"enable_categorical": True} if self._kinds and "c" in self._kinds else {}
        self.stated = booster_columns.of_xgboost(booster)

    def predict(self, rows: Any, margin: bool) -> Any:
        names = self.stated.names
        matrix = self._xgboost.DMatrix(rows, feature_names=names, feature_types=self._kinds, **self._more)
        return self._booster.predict(matrix, output_margin=margin)


class _LightGBM:
    """LightGBM's booster as what a table is given to."""

    kind = np.float64
    """What the library makes of numbers."""

    def __init__(self, booster: Any, threads: int) -> None:
        self._booster = booster
        self._threads = threads
        self.stated = booster_columns.of_lightgbm(booster)

    def predict(self, rows: Any, margin: bool) -> Any:
        return self._booster.predict(rows, raw_score=margin, num_threads=self._threads)


class Booster(RowModel):
    """Scores rows with a booster; ``predict_margin`` gives what is before the objective's function.

    Args:
        model: one of the two above.
        title: what the log calls it.
    """

    def __init__(self, model: Any, title: str) -> None:
        stated = model.stated
        super().__init__(title, Columns(stated.names, stated.count, stated.known), ["predict", "predict_margin"])
        self._model = model
        for at, column in stated.known.items():
            if column.categories is None:
                print(
                    "Column %s is of categories that the file does not list: send their codes" % self.columns.name(at)
                )

    def call(self, table: tabular.Table, method: str) -> Any:
        rows = self.columns.codes(table, self._model.kind)
        try:
            return self._model.predict(rows, method == "predict_margin")
        except Exception as error:  # both libraries raise classes of their own for what they are given
            raise bad_input("The model refuses the rows: %s" % sentence(error)) from error

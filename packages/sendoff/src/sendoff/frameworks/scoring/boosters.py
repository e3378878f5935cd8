"""XGBoost and LightGBM models in their own files (a pickled XGBClassifier and its like are estimators)."""

from typing import Any, Dict, List, Optional

import numpy as np

from . import tabular
from .application import bad_input, cpu_share, sentence
from .row_model import RowModel


def load(config: Dict[str, Any], path: str) -> "Booster":
    """Load a saved model with as many threads as the service has cores."""
    threads = cpu_share(config)
    if config["framework"] == "xgboost":
        import xgboost

        booster = xgboost.Booster({"nthread": threads})
        booster.load_model(path)
        return Booster(_XGBoost(booster, xgboost), "Booster of XGBoost %s" % xgboost.__version__)
    import lightgbm

    return Booster(
        _LightGBM(lightgbm.Booster(model_file=path), threads), "Booster of LightGBM %s" % lightgbm.__version__
    )


class _XGBoost:
    """XGBoost's booster as what a table is given to."""

    def __init__(self, booster: Any, xgboost: Any) -> None:
        self._booster = booster
        self._xgboost = xgboost
        self.names: Optional[List[str]] = booster.feature_names
        self.count: Optional[int] = booster.num_features()

    def predict(self, rows: Any, margin: bool) -> Any:
        matrix = self._xgboost.DMatrix(rows, feature_names=self.names, feature_types=self._booster.feature_types)
        return self._booster.predict(matrix, output_margin=margin)


class _LightGBM:
    """LightGBM's booster as what a table is given to."""

    def __init__(self, booster: Any, threads: int) -> None:
        self._booster = booster
        self._threads = threads
        names = list(booster.feature_name())
        # Without names of its own LightGBM calls them Column_0, Column_1, …
        self.names = None if names == ["Column_%d" % at for at in range(len(names))] else names
        self.count = int(booster.num_feature())

    def predict(self, rows: Any, margin: bool) -> Any:
        return self._booster.predict(rows, raw_score=margin, num_threads=self._threads)


class Booster(RowModel):
    """Scores rows with a booster; ``predict_margin`` gives what is before the objective's function.

    Args:
        model: one of the two above.
        title: what the log calls it.
    """

    def __init__(self, model: Any, title: str) -> None:
        super().__init__(title, tabular.Columns(model.names, model.count), ["predict", "predict_margin"])
        self._model = model

    def call(self, table: tabular.Table, method: str) -> Any:
        rows = self.columns.array(table)
        if isinstance(rows, list) or rows.dtype == object:
            raise bad_input("The rows should be numbers", hint=tabular.HINT)
        try:
            return self._model.predict(np.asarray(rows, dtype=float), method == "predict_margin")
        except Exception as error:  # both libraries raise classes of their own for what they are given
            raise bad_input("The model refuses the rows: %s" % sentence(error)) from error

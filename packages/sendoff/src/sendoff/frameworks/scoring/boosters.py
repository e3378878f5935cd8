"""XGBoost and LightGBM models in their own files (a pickled XGBClassifier and its like are estimators)."""

from typing import Any, Dict, List, Optional

import numpy as np

from . import schema, tabular
from .application import bad_input, cpu_share


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
        kinds = booster.feature_types or []
        self.categories = [name for name, kind in zip(self.names or [], kinds) if kind == "c"]

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
        self.categories: List[str] = []

    def predict(self, rows: Any, margin: bool) -> Any:
        return self._booster.predict(rows, raw_score=margin, num_threads=self._threads)


class Booster:
    """Scores rows with a booster.

    Args:
        model: one of the two above.
        title: what the log calls it.
    """

    hint = tabular.HINT
    read_csv = staticmethod(tabular.read_csv)
    methods = ["predict", "predict_margin"]

    def __init__(self, model: Any, title: str) -> None:
        self.title = title
        self._model = model
        self.columns = tabular.Columns(model.names, model.count)

    def score(self, payload: Any, request: Any) -> Any:
        """Answer ``{"data": rows}``; ``"method": "predict_margin"`` gives what is before the objective's function."""
        method = payload.get("method") if isinstance(payload, dict) else None
        if method not in (None, *self.methods):
            raise bad_input("The model has no method %r to call" % (method,), hint="it has " + ", ".join(self.methods))
        return self.call(self.columns.read(payload), method == "predict_margin")

    def call(self, table: tabular.Table, margin: bool = False) -> Any:
        """Predict rows.

        Raises:
            Refusal: they are not numbers.
        """
        rows = self.columns.array(table)
        if isinstance(rows, list) or rows.dtype == object:
            raise bad_input("The rows should be numbers", hint=tabular.HINT)
        try:
            return self._model.predict(np.asarray(rows, dtype=float), margin)
        except Exception as error:  # both libraries raise classes of their own for what they are given
            raise bad_input("The model refuses the rows: %s" % " ".join(str(error).split())[:500]) from error

    def describe(self) -> Dict[str, Any]:
        """Return what the booster takes and gives."""
        names, count = self.columns.names, self.columns.count
        body = schema.rows(names, count, {}, methods=self.methods)
        value = self.call(self.columns.read(body["example"]))
        return {
            "input": body,
            "output": schema.of_result(value),
            "tensors": {"inputs": schema.tensors(names, count, {}, False), "outputs": schema.output(value)},
        }

    def infer(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Score the tensors of a V2 request."""
        return {"output": self.call(self.columns.from_tensors(inputs))}

"""What a run's script logs (spec/surface.md sec. 2.15); where it goes is the class's own `_record`."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

from ...spec.run import Metric
from ..exceptions import UserErrorException

_TEXTS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Recording:
    """The log methods, for recorded runs and offline ones."""

    def _record(self, metric: Metric) -> None:
        raise NotImplementedError

    def _keep_bytes(self, name: str, data: bytes) -> None:
        raise NotImplementedError

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """A number or text; a name that is logged again becomes a list."""
        self._record(Metric(name=name, kind="scalar", value=plain(value), step=step, description=description))

    def log_list(self, name: str, value: list[Any], description: str = "") -> None:
        """A list of values; a name that is logged again goes on with the list."""
        self._record(Metric(name=name, kind="list", value=plain(list(value)), description=description))

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:
        """A row of named values; a name that is logged again becomes a table."""
        self._record(Metric(name=name, kind="row", value=plain(kwargs), description=description or ""))

    def log_table(self, name: str, value: dict[str, Any], description: str = "") -> None:
        """A table: each column's name with its values."""
        self._record(Metric(name=name, kind="table", value=plain(value), description=description))

    def log_image(self, name: str, path: str | None = None, plot: Any = None, description: str = "") -> None:
        """A picture: a file, or matplotlib's current figure. It is kept as a file of the run.

        Raises:
            UserErrorException: Neither is given, or both; or there is no such file.
        """
        if (path is None) == (plot is None):
            raise UserErrorException("log_image needs either path or plot", hint="Give one of the two.")
        if plot is not None:
            drawn = io.BytesIO()
            plot.savefig(drawn, format="png")
            file, data = f"{name}.png", drawn.getvalue()
        else:
            source = Path(str(path))
            if not source.is_file():
                raise UserErrorException(f"log_image: {source} is not a file", hint="Give the path of a picture.")
            file, data = f"{name}{source.suffix}", source.read_bytes()
        self._keep_bytes(file, data)
        self._record(Metric(name=name, kind="image", value=file, description=description))

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """A confusion matrix, as SDK v1's object or JSON text."""
        self._chart("confusion_matrix", name, value, description)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """An accuracy table, as SDK v1's object or JSON text."""
        self._chart("accuracy_table", name, value, description)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Residuals, as SDK v1's object or JSON text."""
        self._chart("residuals", name, value, description)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Predictions, as SDK v1's object or JSON text."""
        self._chart("predictions", name, value, description)

    def _chart(self, kind: str, name: str, value: Any, description: str) -> None:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise UserErrorException(
                    f"the value of {kind} {name!r} is text, and no JSON", hint="Give an object or its JSON text."
                ) from None
        self._record(Metric(name=name, kind=kind, value=plain(value), description=description))


def collected(metrics: list[Metric]) -> dict[str, Any]:
    """What a run logged, by name, in SDK v1's shapes."""
    found: dict[str, Any] = {}
    for metric in metrics:
        value = number(metric.value)
        before = found.get(metric.name)
        if metric.name not in found:
            found[metric.name] = value
        elif metric.kind == "scalar":
            found[metric.name] = [*(before if isinstance(before, list) else [before]), value]
        elif metric.kind == "list":
            found[metric.name] = [*(before if isinstance(before, list) else [before]), *value]
        elif metric.kind in ("row", "table") and isinstance(before, dict):
            found[metric.name] = {key: [*_many(before.get(key)), *_many(value.get(key))] for key in {**before, **value}}
        else:
            found[metric.name] = value
    return found


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numpy's numbers and arrays as Python's, NaN and infinity as their names."""
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, pandas' series
        return plain(value.tolist())
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


def number(value: Any) -> Any:
    """A logged value as the script gave it: the names of NaN and infinity become numbers again."""
    if isinstance(value, str):
        return _TEXTS.get(value, value)
    if isinstance(value, list):
        return [number(one) for one in value]
    return value

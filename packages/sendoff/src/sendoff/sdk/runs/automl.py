"""Runs of automated training: their models can be registered; the training itself is not here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import ExperimentExecutionException
from ..unsupported import refusing
from .run import Run

if TYPE_CHECKING:
    from ..model import Model
    from .experiment import Experiment

_TRAIN = "Train with a library of your own, then Model.register."
_PICKLE = "outputs/model.pkl"


@refusing(
    "AutoMLRun",
    {
        _TRAIN: """
            continue_experiment(self, X=None, y=None, sample_weight=None, X_valid=None, y_valid=None,
                sample_weight_valid=None, data=None, label=None, columns=None, cv_splits_indices=None,
                spark_context=None, experiment_timeout_hours=None, experiment_exit_score=None, iterations=None,
                show_output=False, training_data=None, validation_data=None, **kwargs) -> AutoMLRun
            pause(self)
            resume(self)
            retry(self)
        """,
    },
)
class AutoMLRun(Run):
    """A parent run whose children each hold a model (``outputs/model.pkl``) and its metrics.

    Args:
        experiment: What it belongs to.
        run_id: Its id.

    Raises:
        ExperimentExecutionException: There is no run of that id.
    """

    def __init__(self, experiment: Experiment, run_id: str, **kwargs: Any) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self.model_id: str | None = None

    def get_best_child(self, metric: str | None = None, onnx_compatible: bool = False, **_: Any) -> Run:
        """The child with the greatest value of a metric (the least, of an error or a loss).

        Args:
            metric: Its name; None takes the parent's property ``primary_metric``, else the only one there is.
            onnx_compatible: Not used.

        Raises:
            ExperimentExecutionException: No child has the metric.
        """
        return self._best(metric, None)

    def get_output(
        self,
        iteration: int | None = None,
        metric: str | None = None,
        return_onnx_model: bool = False,
        return_split_onnx_model: Any = None,
        **_: Any,
    ) -> tuple[Run, Any]:
        """The best child, or that of an iteration, and its model, loaded.

        Raises:
            ExperimentExecutionException: There is no such child, or it keeps no model.
        """
        import tempfile

        best = self._best(metric, iteration)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.pkl"
            best.download_file(_PICKLE, str(file))
            return best, _loader()(str(file))

    def register_model(  # type: ignore[override]
        self,
        model_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        iteration: int | None = None,
        metric: str | None = None,
    ) -> Model:
        """Register the model of the best child, or of an iteration's; sets ``model_id``.

        Args:
            model_name: None takes one from the run's id.
            description: Free text.
            tags: Tags of the model.
            iteration: The child's number, from 0.
            metric: What the best is told by.

        Raises:
            ExperimentExecutionException: There is no such child.
            WebserviceException: It keeps no model.
        """
        best = self._best(metric, iteration)
        name = model_name or f"AutoML{self.id.replace('AutoML_', '')[:15]}best"
        folder = "outputs/mlflow-model" if _PICKLE not in best.get_file_names() else _PICKLE
        model = Run.register_model(best, name, folder, tags=tags, description=description)
        self.model_id = model.name
        return model

    def _best(self, metric: str | None, iteration: int | None) -> Run:
        children = list(self.get_children())
        if not children:
            return self
        if iteration is not None:
            for child in children:
                if child.properties.get("iteration", str(child.number)) == str(iteration):
                    return child
            raise ExperimentExecutionException(f"run {self.id} has no iteration {iteration}")
        wanted = metric or self.properties.get("primary_metric")
        scored: list[tuple[float, Run]] = []
        for child in children:
            values = child.get_metrics()
            name = wanted or (next(iter(values)) if len(values) == 1 else "score")
            if isinstance(values.get(name), int | float):
                less = any(word in name.lower() for word in ("error", "loss"))
                scored.append((-values[name] if less else values[name], child))
        if not scored:
            raise ExperimentExecutionException(
                f"no child of run {self.id} has logged {wanted or 'a metric'}", hint="Give metric= by its name."
            )
        return max(scored, key=lambda pair: pair[0])[1]

    def wait_for_completion(  # type: ignore[override]
        self, show_output: bool = False, wait_post_processing: bool = False, **_: Any
    ) -> dict[str, Any]:
        """Wait until it has ended."""
        return super().wait_for_completion(show_output, wait_post_processing)

    def summary(self) -> Any:
        """Each child's iteration, score and time, as a list."""
        return [
            [child.properties.get("iteration", child.number), child.name, child.get_metrics()]
            for child in self.get_children()
        ]

    def get_guardrails(self, to_console: bool = True) -> dict[str, Any]:
        """None were checked."""
        return {"guardrails": []}

    def get_run_sdk_dependencies(
        self, iteration: int | None = None, check_versions: bool = True, **_: Any
    ) -> dict[str, str]:
        """None were recorded."""
        return {}

    def cancel_iteration(self, iteration: int) -> None:
        """Cancel the child of an iteration."""
        self._best(None, iteration).cancel()


def _loader() -> Callable[[str], Any]:
    try:
        import joblib  # type: ignore[import-not-found,import-untyped,unused-ignore]

        load: Callable[[str], Any] = joblib.load
        return load
    except ImportError:
        import pickle

        return lambda path: pickle.loads(Path(path).read_bytes())

"""``Workspace`` exists here only to say where it can be used."""

from typing import Any


class Workspace:
    """Not available while scoring."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError(
            "azureml.core.Workspace is not available in a scoring worker: workspace classes need Python 3.11 or "
            "newer and the package sendoff. While scoring, read models from AZUREML_MODEL_DIR or with "
            "Model.get_model_path(name)"
        )

    @classmethod
    def from_config(cls, *arguments: Any, **more: Any) -> "Workspace":
        """Raise the error of the constructor."""
        return cls(*arguments, **more)

    get = from_config

"""``Model.get_model_path``; everything else of a model lives in the control plane."""

import os
from typing import Any, Optional

from sendoff_serving.worker import models


class Model:
    """A deployed model.

    Args:
        workspace: not used while scoring.
        name: the registered name.
        version: the version, highest when None.
    """

    def __init__(self, workspace: Any = None, name: Optional[str] = None, version: Any = None, **_: Any) -> None:
        if name is None:
            raise models.WebserviceException("a model needs a name")
        self.name = name
        self.version = version

    @staticmethod
    def get_model_path(model_name: str, version: Optional[int] = None, _workspace: Any = None) -> str:
        """Return the path of a deployed model (see ``sendoff_serving.worker.models``)."""
        return models.get_model_path(model_name, version, _workspace)

    def download(self, target_dir: str = ".", exist_ok: bool = False, **_: Any) -> str:
        """Return where the deployed model already lies; nothing is copied while scoring."""
        return os.path.abspath(models.get_model_path(self.name, self.version))

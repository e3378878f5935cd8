"""Where an entry script finds a model (spec/surface.md sec. 2.4, spec/scoring-server.md sec. 13)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .exceptions import ModelNotFoundException, WebserviceException

if TYPE_CHECKING:
    from .workspace import Workspace

_FOLDER = "azureml-models"


def find_model_path(model_name: str, version: int | None, workspace: Workspace | None) -> str:
    """The relative path of the one entry of ``azureml-models/<name>/<version>/``, or ``model_name`` itself."""
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise WebserviceException(f"The version of model {model_name!r} has to be a whole number, not {version!r}.")
    cached = Path(_FOLDER, model_name)
    if not cached.is_dir() and workspace is not None:
        model = workspace._model(name=model_name, version=version)
        model.download(str(cached / str(model.version)))
    if cached.is_dir():
        return _entry(cached, model_name, version)
    if Path(model_name).exists():
        return model_name
    raise ModelNotFoundException(
        f"Model {model_name} not found in cache at {_FOLDER} or in current working directory {Path.cwd()}.",
        hint="In a service it is there under its registered name; elsewhere give _workspace.",
    )


def _entry(cached: Path, model_name: str, version: int | None) -> str:
    versions = sorted(int(one.name) for one in cached.iterdir() if one.is_dir() and one.name.isdigit())
    wanted = version if version is not None else versions[-1] if versions else None
    if wanted is None or wanted not in versions:
        raise WebserviceException(
            f"Version {version if version is not None else '(newest)'} of model {model_name} is not in {cached}.",
            hint=f"There: {', '.join(map(str, versions)) or 'none'}.",
        )
    entries = sorted((cached / str(wanted)).iterdir())
    if len(entries) != 1:
        raise WebserviceException(
            f"{cached / str(wanted)} has to hold exactly one file or folder; it holds {len(entries)}.",
            hint="Use AZUREML_MODEL_DIR to reach several files.",
        )
    return str(entries[0])

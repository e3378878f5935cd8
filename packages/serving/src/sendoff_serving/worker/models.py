"""Where a deployed model lies: ``Model.get_model_path`` while scoring."""

import os
from typing import Any, List, Optional

CACHE = "azureml-models"


class AzureMLException(Exception):
    """Base of SDK v1's errors."""

    __module__ = "azureml.exceptions"  # where users know it from, in tracebacks too


class WebserviceException(AzureMLException):
    """The error class of SDK v1 for wrong arguments and broken model folders."""

    __module__ = "azureml.exceptions"

    def __init__(self, message: str = "", **_: Any) -> None:
        AzureMLException.__init__(self, message)
        self.message = message


class ModelNotFoundException(WebserviceException):
    """No model of that name is deployed here."""

    __module__ = "azureml.exceptions"


def get_model_path(model_name: str, version: Optional[int] = None, _workspace: Any = None) -> str:
    """Return the path of a deployed model, as ``Model.get_model_path`` does (spec/scoring-server.md sec. 13).

    Args:
        model_name: the registered name.
        version: an int; the highest deployed one when None.
        _workspace: accepted and not used: while scoring, models are local.

    Returns:
        Path relative to the working directory: the one file or folder of that version, or a file or folder of
        the name itself in the working directory.

    Raises:
        WebserviceException: the version is not an int, or its folder does not hold exactly one entry.
        ModelNotFoundException: nothing of that name is there.
    """
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise WebserviceException("version should be an int")
    folder = os.path.join(CACHE, model_name)
    if os.path.isdir(folder):
        if version is None:
            numbers = [int(name) for name in os.listdir(folder) if name.isdigit()]
            version = max(numbers) if numbers else None
        if version is not None and os.path.isdir(os.path.join(folder, str(version))):
            return _only_entry(os.path.join(folder, str(version)))
    if os.path.exists(model_name):
        return model_name
    found = _below_model_dir(model_name, version)
    if found:
        return found
    raise ModelNotFoundException(
        "Model %s not found in cache at %s or in current working directory %s" % (model_name, CACHE, os.getcwd())
    )


def what_is_there() -> str:
    """What get_model_path() would find, for whoever asked it for another name."""
    names = sorted(os.listdir(CACHE)) if os.path.isdir(CACHE) else []
    if names:
        return "the models that are deployed with it are %s: write one of these names" % ", ".join(map(repr, names))
    return (
        "no registered model is deployed with it: open the file below os.environ['AZUREML_MODEL_DIR'], or start the "
        "server with --model-dir FOLDER, where FOLDER is called as the model"
    )


def _only_entry(folder: str) -> str:
    entries = sorted(os.listdir(folder))
    if len(entries) != 1:
        raise WebserviceException("Dir %s can contain only 1 file or folder. Found %s" % (folder, entries))
    return os.path.join(folder, entries[0])


def _below_model_dir(model_name: str, version: Optional[int]) -> Optional[str]:
    """Look in AZUREML_MODEL_DIR as well, which a server started by hand may have been given alone."""
    given = os.environ.get("AZUREML_MODEL_DIR")
    if not given:
        return None
    wanted = str(version) if version is not None else None
    parts = os.path.normpath(given).split(os.sep)
    versioned = len(parts) >= 2 and parts[-2] == model_name and wanted in (None, parts[-1])
    if (versioned or (parts[-1] == model_name and wanted is None)) and os.path.isdir(given):
        return _only_entry(given)
    candidates: List[str] = [os.path.join(given, model_name)]
    if wanted:
        candidates.insert(0, os.path.join(given, model_name, wanted))
    for candidate in candidates:
        if os.path.exists(candidate):
            return candidate
    return None

"""Configuration files: read by the very parsers that deploying uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import NotSupported, SendoffError
from ..spec.deployment_files import parse_deployment
from ..spec.environment_files import read_conda_file
from ..spec.inference_files import parse_inference
from ..spec.parse import read_file
from .findings import MAPPED, RUNS, UNSUPPORTED, FileReport, Finding

_INFERENCE = {"entryscript", "executionscript"}


def read(path: Path, shown: str) -> FileReport | None:
    """The findings of a JSON or YAML file; None when it is no configuration of SDK v1."""
    try:
        data = read_file(path, "configuration")
    except (SendoffError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    keys = {str(key).lower() for key in data}
    notes: list[str] = []
    try:
        if keys & _INFERENCE:
            what = "inference configuration"
            notes = parse_inference(data, where=shown, folder=path.parent, cwd=path.parent).notes
        elif "computetype" in keys:
            what = "deployment configuration"
            parse_deployment(data, where=shown)
        elif "dependencies" in keys and isinstance(data["dependencies"], list) and _conda(data["dependencies"]):
            what = "conda environment"
            read_conda_file(path, notes=notes)
        elif {"subscription_id", "resource_group", "workspace_name"} <= keys:
            what = "workspace file"
        else:
            return None
    except SendoffError as error:
        found = [Finding(line=1, what=_kind(keys), verdict=_verdict(error), message=error.message)]
    else:
        found = [Finding(line=1, what=what, verdict=RUNS)]
        found += [Finding(line=1, what=what, verdict=MAPPED, message=note) for note in notes]
    return FileReport(path=shown, kind="configuration", findings=found)


def _verdict(error: SendoffError) -> str:
    if isinstance(error, NotSupported):
        return UNSUPPORTED
    # A file that is not beside it (made by a pipeline, or elsewhere in the repository) says nothing of the key itself.
    return MAPPED if "missing" in error.context else UNSUPPORTED


def _kind(keys: set[str]) -> str:
    if keys & _INFERENCE:
        return "inference configuration"
    return "deployment configuration" if "computetype" in keys else "conda environment"


def _conda(dependencies: list[Any]) -> bool:
    return any(isinstance(one, str) and one.split("=")[0].strip(" <>!~") == "python" for one in dependencies) or any(
        isinstance(one, dict) and "pip" in one for one in dependencies
    )

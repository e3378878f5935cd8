"""What a target reports of a revision, and its error made into one that ends a deployment and says what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..errors import DeploymentFailed, ScriptFailed, SendoffError, from_payload
from ..spec.inference import SourceSpec
from ..spec.parse import did_you_mean
from .base import SCRIPT_CODES, Observation

_IN_BUNDLE = re.compile(r"(.*/bundles/[0-9a-f]{64}/app|^/var/azureml-app)/")
_NO_FILE = re.compile(r"No such file or directory: '([^']+)'")
_SHOWN_FILES = 10
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


def speaks_of(observed: Observation, number: int) -> tuple[str, dict[str, Any] | None]:
    """Phase and error of one revision within an observation; ``unknown`` when it says nothing of it."""
    if observed.pending_revision == number:
        return observed.pending_phase or "starting", observed.pending_error
    if observed.revision == number:
        return observed.phase, observed.error
    return "unknown", None


def failure(error: dict[str, Any] | None, otherwise: str) -> SendoffError:
    """The error that a target reports, as one that ends a deployment.

    Traceback, file and line are in the context, wherever the target put them; ``file`` is relative to the application
    root, as users know it.
    """
    if not error:
        return DeploymentFailed(otherwise, hint="See the service's logs.")
    code = str(error.get("code"))
    facts = {key: value for key, value in error.items() if key not in ("code", "message", "hint", "context")}
    if code in SCRIPT_CODES:
        found: SendoffError = ScriptFailed(
            str(error.get("message")), hint=str(error.get("hint") or "") or missing_module(str(error.get("message")))
        )
    else:
        known = from_payload(error)
        found = known if known.code == code else DeploymentFailed(known.message, hint=known.hint)
    found.context = {**facts, **(error.get("context") or {})}
    if found.code != code:
        found.context.setdefault("reported_code", code)
    path, line = found.context.get("file"), found.context.get("line")
    if isinstance(path, str):
        found.context["file"] = path = _IN_BUNDLE.sub("", path)
        if line and f"line {line}" not in found.message:
            found.message = f"{found.message} ({path}, line {line})"
    return found


def in_own_terms(error: SendoffError, source: SourceSpec, files: Sequence[str]) -> SendoffError:
    """A failure with the user's own paths in its traceback, and with what a file that is not there may be called.

    Args:
        error: What `failure` gave.
        source: The scoring code.
        files: The models' files, as their manifests have them.
    """
    if isinstance(trace := error.context.get("traceback"), str):
        error.context["traceback"] = source.in_own_paths(trace)
    missing = _NO_FILE.search(error.message)
    if missing is not None and files and not error.hint:
        error.hint = _file_there(missing[1].rpartition("/")[2], files)
    return error


def _file_there(name: str, files: Sequence[str]) -> str:
    """What a script may have meant by the name of a file that is not there."""
    by_name = {path.rpartition("/")[2]: path for path in files}
    if name in by_name:
        return f"The model has {by_name[name]!r}, below the folder that AZUREML_MODEL_DIR names."
    more = f" and {len(files) - _SHOWN_FILES} more" if len(files) > _SHOWN_FILES else ""
    nearest = did_you_mean(name, [*by_name], "")
    return f"{nearest} The models' files: {', '.join(files[:_SHOWN_FILES])}{more}.".strip()


def missing_module(message: str) -> str:
    """What to do about a part of a package that the script or its model's pickle could not import; else empty.

    Python names the whole dotted path only when the parent is there, so that a dotted name is another version's.
    """
    found = _NO_MODULE.search(message)
    if not found or found[1].partition(".")[0] == "azureml":
        return ""
    name = found[1]
    parent, dot, _ = name.rpartition(".")
    if name.startswith("numpy._core"):
        return (
            "The pickle was written with numpy 2, and the environment has an older numpy: give the environment the "
            "versions that the model was trained with, or train it again with those of the environment."
        )
    if not dot:
        return ""  # the scoring server itself says what to do about a package that is not there at all
    return (
        f"{parent!r} is there, but not this part of it: give the environment the version that the script or the "
        "model was made with; if it is a file of yours, look whether it is in the source directory."
    )

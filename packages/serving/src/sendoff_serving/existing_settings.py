"""What the existing server reads of the environment and of files beside the script, for compatibility mode.

Source: spec/scoring-server.md sec. 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .errors import ServingError

CONFIG, LOGGING = "config.json", "logging.json"

# Variables that tell the existing server something which is no setting here: not worth a warning in a config file.
KNOWN = frozenset(
    {
        "AML_APP_INSIGHTS_ENABLED",
        "AML_APP_INSIGHTS_KEY",
        "APP_INSIGHTS_LOG_RESPONSE_ENABLED",
        "AZUREML_DEBUG_PORT",
        "HOSTNAME",
        "WORKSPACE_NAME",
    }
)
_TRUTHS = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off", "t", "f", "y", "n"})
_GONE = ("AML_DBG_MODEL_INFO", "AML_DBG_RESOURCE_INFO")


def find(name: str, folders: list[Path | None]) -> Path | None:
    """Return the first file of a name that is in one of the folders and not empty."""
    for folder in folders:
        if folder is not None and (folder / name).is_file() and (folder / name).stat().st_size:
            return folder / name
    return None


def check(environment: Mapping[str, str]) -> list[str]:
    """Check the variables that are read elsewhere, as that server does at its start.

    Returns:
        Lines for the log about what it has given up.

    Raises:
        ServingError: a value is of the wrong type; the message names the variable.
    """
    logged = environment.get("APP_INSIGHTS_LOG_RESPONSE_ENABLED")
    if logged is not None and logged.strip().lower() not in _TRUTHS:
        raise wrong("APP_INSIGHTS_LOG_RESPONSE_ENABLED", f"should be true or false, not {logged!r}")
    port = environment.get("AZUREML_DEBUG_PORT")
    if port is not None and not port.strip().isdigit():
        raise wrong("AZUREML_DEBUG_PORT", f"should be a port number, not {port!r}")
    if any(name in environment for name in _GONE):
        return ["The debuggability features have been removed: AML_DBG_MODEL_INFO and AML_DBG_RESOURCE_INFO do nothing"]
    return []


def wrong(name: str, what: str) -> ServingError:
    """Return the error of a setting of the wrong type, with which the server does not start."""
    return ServingError("configuration_error", f"Configuration Error: {name} {what}", exit_code=3)

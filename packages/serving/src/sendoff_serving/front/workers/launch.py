"""What a worker is started with: interpreter, environment, settings."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ... import protocol
from ...bundle import Bundle, Collect
from ...errors import ServingError

BOOT = Path(__file__).resolve().parents[2] / "worker" / "boot.py"


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """How the workers of one generation are started.

    Attributes:
        python: the user's interpreter.
        cwd: working directory, the application root.
        environment: the whole environment.
        settings: JSON that the front's HELLO carries.
    """

    python: str
    cwd: str
    environment: dict[str, str]
    settings: dict[str, object] = field(default_factory=dict)


def spawn(launch: Launch, link: int, page: int) -> subprocess.Popen[bytes]:
    """Start a worker's process, with pipes for what it prints.

    Args:
        launch: how.
        link: descriptor of its socket.
        page: descriptor of the memory that it shares with the front.

    Raises:
        ServingError: the interpreter cannot be started.
    """
    arguments = [launch.python, "-u", str(BOOT)]
    arguments += ["--socket", str(link), "--page", str(page), "--parent", str(os.getpid())]
    try:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=launch.cwd,
            env=launch.environment,
            pass_fds=(link, page),
            start_new_session=True,  # a Ctrl-C at our terminal is for the front; children can be ended with it
        )
    except OSError as error:
        raise ServingError(
            "interpreter_unusable",
            f"The worker's interpreter {launch.python} cannot be started: {error}",
            hint="name one with --python",
        ) from None


def of_bundle(
    bundle: Bundle, python: str, log_level: str | None, scope: str | None = None, logging_file: Path | None = None
) -> Launch:
    """Return how to start workers for a bundle.

    Args:
        bundle: what to serve.
        python: the interpreter of its environment.
        log_level: level of the script's root logger; None to leave logging as Python has it.
        scope: "subscription/group/workspace/service" of what scripts collect; None when nothing is.
        logging_file: the existing server's ``logging.json``, for the script's loggers too; None for none.

    The environment is the front's own with the variables of spec/behaviour.md sec. 9 set, then the bundle's own.
    """
    ours = {
        "__PYVENV_LAUNCHER__": None,
        "AML_APP_ROOT": str(bundle.app_root),
        "AZUREML_ENTRY_SCRIPT": bundle.entry_script,
        "AZUREML_SOURCE_DIRECTORY": bundle.source_directory,
        "AZUREML_MODEL_DIR": bundle.model_dir,
        "SERVICE_NAME": bundle.service.name,
        "SERVICE_VERSION": bundle.service.version,
        "SERVICE_PATH_PREFIX": bundle.service.path_prefix,
        "WORKER_COUNT": str(bundle.serving.workers),
        "SCORING_TIMEOUT_MS": str(bundle.serving.scoring_timeout_ms),
        "AML_MODEL_DC_STORAGE_ENABLED": "false" if scope is None else "true",
    }
    environment = {name: value for name, value in {**os.environ, **ours}.items() if value is not None}
    environment.update(bundle.variables)
    script, source = bundle.entry_script_path, bundle.source_path
    return Launch(
        python=python,
        cwd=str(bundle.app_root),
        environment=environment,
        settings={
            "protocol": [protocol.VERSION],
            "entry_script": None if script is None else str(script),
            "app_root": str(bundle.app_root),
            "source_directory": None if source is None else str(source),
            "nan": bundle.serving.nan,
            "model_memory_mb": bundle.serving.model_memory_mb,
            "log_level": log_level,
            "logging": None if logging_file is None else str(logging_file),
            "max_batch_rows": bundle.serving.max_batch_rows,
            "max_wait_ms": bundle.serving.max_wait_ms,
            "json_parser": json_parser(),
            "collect": None if scope is None else _collect(bundle, scope),
        },
    )


def _collect(bundle: Bundle, scope: str) -> dict[str, object]:
    workspace, _, service = scope.rpartition("/")
    most = (bundle.serving.collect or Collect()).max_body_bytes
    return {"workspace": workspace, "service": service, "models": bundle.models, "max_bytes": most}


@cache
def json_parser() -> str | None:
    """Return the path of orjson's extension module, for workers that can borrow it (``worker/borrowed.py``).

    None where it is not installed; nothing is imported.
    """
    spec = importlib.util.find_spec("orjson")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        for file in Path(folder).glob("orjson.*.so"):
            return str(file)
    return None

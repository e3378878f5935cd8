"""Options of the command, the environment and the config file, as frozen values.

An option of the command line goes before the environment, and that before the config file
(spec/scoring-server.md sec. 1 and 2).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

from . import bundle as bundles
from . import existing_settings, telemetry_settings
from .bundle import Bundle, Capture, Collect, NonFinite, Service, Serving
from .errors import ServingError
from .front.http.limits import Limits
from .log_format import Format
from .recording.redaction import Redaction
from .telemetry_settings import TelemetrySettings

DEFAULT_PORT = 5001
# Limit of one run() where the server is started alone (spec/scoring-server.md sec. 2).
ALONE_TIMEOUT_MS = 3_600_000

# Settings of a bundle whose options are not their values, or that have none.
_READ_OTHERWISE = frozenset({"collect", "cors_origins", "otel_endpoint", "preload"})

# Environment variables that a config file may give too.
VARIABLES = (
    "AML_APP_ROOT",
    "AML_CORS_ORIGINS",
    "AML_MODEL_DC_STORAGE_ENABLED",
    "AZUREML_ENTRY_SCRIPT",
    "AZUREML_LOG_LEVEL",
    "AZUREML_MODEL_DIR",
    "AZUREML_SOURCE_DIRECTORY",
    "SCORING_TIMEOUT_MS",
    "SERVICE_NAME",
    "SERVICE_PATH_PREFIX",
    "SERVICE_VERSION",
    "WORKER_COUNT",
    "WORKER_PRELOAD",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What one run of the command was asked to do.

    Attributes:
        bundle: what to serve.
        python: interpreter of the workers.
        host: address to listen on; port: its port, 0 for any free one.
        control: Unix socket of the supervised mode; None when the server runs alone.
        log_file: file of the log; None for standard output. log_format: form of its lines.
        termination_file: file that tells, as JSON, why the script could not be loaded.
        revision: name of the first revision.
        keeper_file: record of the process that keeps this server running; None where nobody does.
        reload: load the script again when its files change.
        auth_file: verification material of keys and tokens; None where anybody may score.
        certificate: PEM files of certificate and key; None for plain HTTP.
        drain_seconds: time for requests in progress when the server is stopped.
        notice_seconds: time before that in which the readiness probes fail and requests are still served.
        limits: bounds for each client.
        compatible: answer as the existing server does.
        script_error_status: status of a request whose run() raised; a cluster's address has 502 for it.
        logging_file: the existing server's ``logging.json``; None where there is none, and outside of that mode.
        health_port: a second port of the same service; None for none.
        version_header: whether answers name the server and its version.
        log_level: level of the script's root logger; None to leave logging as Python has it.
        telemetry: what is told to a collector; None for nothing.
        telemetry_file: a target's settings of it.
        notes: lines for the log about what was asked for and cannot be had.
        data_dir: folder of the service's collected data; None where nothing can be collected.
        data_scope: "subscription/group/workspace/service" that it belongs to.
    """

    bundle: Bundle
    python: str
    host: str
    port: int
    control: Path | None
    log_file: Path | None
    termination_file: Path | None
    log_format: Format
    revision: str | None
    keeper_file: Path | None
    reload: bool
    auth_file: Path | None
    certificate: tuple[Path, Path] | None
    drain_seconds: float
    notice_seconds: float
    limits: Limits
    compatible: bool
    script_error_status: int
    logging_file: Path | None
    health_port: int | None
    version_header: bool
    log_level: str | None
    telemetry: TelemetrySettings | None
    telemetry_file: Path | None
    notes: list[str]
    data_dir: Path | None
    data_scope: str


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that callers of ``main`` get an exit status."""

    def error(self, message: str) -> NoReturn:
        raise ServingError("bad_arguments", message, hint=f"{self.prog} --help lists the options")


Number = TypeVar("Number", int, float)


def _number_that(good: Callable[[Number], bool], kind: type[Number], words: str) -> Callable[[str], Number]:
    """Return what reads an option as a number, and says what it should be."""

    def number(text: str) -> Number:
        value = kind(text)
        if not good(value):
            raise argparse.ArgumentTypeError(f"should be {words}")
        return value

    return number


_positive = _number_that(lambda number: number >= 1, int, "1 or more")
_count = _number_that(lambda number: number >= 0, int, "0 or more")
_port = _number_that(lambda number: 0 <= number <= 65535, int, "0 to 65535")
_status = _number_that(lambda number: 400 <= number < 600, int, "400 to 599")
_rate = _number_that(lambda number: 0 < number < 1e9, float, "above 0")
_share = _number_that(lambda number: 0 < number <= 1, float, "above 0 and at most 1")


def parser() -> argparse.ArgumentParser:
    """Return the command's parser; its help is the reference of its options."""
    made = _Parser(
        prog="python -m sendoff_serving",
        description="Serve an entry script, or a bundle, over HTTP.",
        allow_abbrev=False,
    )
    add = made.add_argument_group("what to serve").add_argument
    add("--entry-script", metavar="F", help="the entry script (environment: AZUREML_ENTRY_SCRIPT)")
    add("--model-dir", metavar="D", help="folder that the script finds as AZUREML_MODEL_DIR")
    add("--bundle", metavar="DIR", help="a bundle's folder, instead of the options above")
    add("--app-root", metavar="DIR", help="application root and working directory (AML_APP_ROOT)")
    add("--source-directory", metavar="DIR", help="further folder on the import path, below the root")
    add("--python", metavar="INTERPRETER", help="interpreter of the workers; default: this one")
    add("--service-name", metavar="NAME", help="title of the OpenAPI document (SERVICE_NAME)")
    add("--service-version", metavar="V", help="its version (SERVICE_VERSION)")
    add("--path-prefix", metavar="P", help="prefix of the routes (SERVICE_PATH_PREFIX)")
    add = made.add_argument_group("where").add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1; 0.0.0.0 for all)")
    add("--port", type=_port, default=DEFAULT_PORT, metavar="N", help="port, 0 for any (default 5001)")
    add("--health-port", type=_port, metavar="N", help="second port, for probes that should not go to the first")
    add("--control", metavar="PATH", help="Unix socket on which a supervisor controls the server")
    add("--revision", metavar="R", help="name of the first revision, for --control")
    add("--keeper-file", metavar="F", help="record of what restarts this server: started when it was killed")
    add("--log-file", metavar="F", help="log to this file, rotated (10 MiB x 3), not to standard output")
    add("--termination-file", metavar="F", help="write there, as JSON, why the script could not be loaded")
    add("--log-format", choices=["text", "json"], default="text", help="form of the log's lines")
    add = made.add_argument_group("how").add_argument
    add("--workers", type=_positive, metavar="N", help="worker processes (WORKER_COUNT; default 1)")
    add("--scoring-timeout-ms", type=_positive, metavar="MS", help="deadline (SCORING_TIMEOUT_MS)")
    add("--max-request-wait-ms", type=_count, metavar="MS", help="longest wait for a worker")
    add("--max-queue", type=_count, metavar="N", help="most requests that wait (default 1000)")
    add("--max-body-bytes", type=_count, metavar="N", help="largest request body (default 100 MiB)")
    add("--memory-limit-mb", type=_positive, metavar="MB", help="memory of one worker, children included")
    add("--model-memory-mb", type=_positive, metavar="MB", help="memory of models loaded by name")
    add("--recycle-memory-mb", type=_positive, metavar="MB", help="replace a worker that has grown beyond")
    add("--max-requests-per-worker", type=_positive, metavar="N", help="replace a worker after about N")
    add("--max-batch-rows", type=_positive, metavar="N", help="run requests together, up to N rows")
    add("--max-wait-ms", type=_count, metavar="MS", help="wait for others to join (default 0)")
    add("--reload", action="store_true", help="load the script again when its files change")
    add("--preload", action="store_true", help="fork workers after init() (WORKER_PRELOAD)")
    add("--nan", choices=get_args(NonFinite), help="NaN and infinity in results (default legacy)")
    add("--rate-limit-per-second", type=_rate, metavar="R", help="requests a second of one key or client")
    add("--rate-limit-burst", type=_positive, metavar="N", help="requests that it may make at once")
    add("--auth-file", metavar="F", help="file of verification material: callers need a key or token")
    add("--tls-certificate", "--ssl-cert", metavar="PEM", help="certificate with its chain: serve HTTPS")
    add("--tls-key", "--ssl-key", metavar="PEM", help="key of the certificate")
    add("--cors-origins", metavar="LIST", help="allowed origins, by commas, or * (AML_CORS_ORIGINS)")
    add("--notice-seconds", type=float, default=0.0, metavar="S", help="not ready but serving before it stops (0)")
    add("--drain-seconds", type=float, default=10.0, metavar="S", help="time to finish when stopped (10)")
    add("--log-level", metavar="LEVEL", help="of the script's root logger (AZUREML_LOG_LEVEL; INFO)")
    add("--otel-endpoint", metavar="URL", help="OTLP/HTTP collector (OTEL_EXPORTER_OTLP_ENDPOINT)")
    add("--telemetry-file", metavar="F", help="settings of a target; default: beside --auth-file")
    add("--script-error-status", type=_status, default=500, metavar="N", help="when run() raises (default 500)")
    add("--compatible", action="store_true", help="answer with the existing server's codes and bodies")
    add = made.add_argument_group("data collection").add_argument
    add("--data-dir", metavar="DIR", help="folder for collected data; alone it also turns collection on")
    add("--data-scope", metavar="S", help="SUBSCRIPTION/GROUP/WORKSPACE/SERVICE that it belongs to")
    add("--collect-model-data", action="store_true", help="collect (AML_MODEL_DC_STORAGE_ENABLED)")
    add("--capture", choices=get_args(Capture), help="inputs and predictions (auto: unless the script does)")
    add("--capture-sample", type=_share, metavar="R", help="share of requests that is stored (default 1)")
    add("--capture-max-body-bytes", type=_positive, metavar="N", help="largest body stored (default 64 KiB)")
    add("--capture-redact", action="append", metavar="NAME", help="name or $.path that is not stored")
    add("--max-store-mb", type=_positive, metavar="MB", help="most that is stored (default 1024)")
    add = made.add_argument_group("bounds for each client").add_argument
    for field in dataclasses.fields(Limits):
        kind: Any = float if isinstance(field.default, float) else _positive
        name = f"--{field.name.replace('_', '-')}"
        add(name, type=kind, default=field.default, metavar="N", help=f"default {field.default}")
    return made


def read(arguments: Sequence[str] | None, environment: Mapping[str, str] | None = None) -> Options:
    """Read the command's options.

    Args:
        arguments: the command line without the program's name; None for this process's.
        environment: environment variables; None for this process's.

    Raises:
        ServingError: an option, a variable or a file is wrong; the message names it.
    """
    given = parser().parse_args(arguments)
    limits = Limits(**{field.name: getattr(given, field.name) for field in dataclasses.fields(Limits)})
    environment = os.environ if environment is None else environment
    for name in (
        "auth_file",
        "control",
        "data_dir",
        "keeper_file",
        "log_file",
        "termination_file",
        "telemetry_file",
        "tls_certificate",
        "tls_key",
    ):
        if getattr(given, name) is not None:
            setattr(given, name, Path(getattr(given, name)).absolute())
    notes = existing_settings.check(environment) if given.compatible else []
    config = {} if given.bundle else _config_file(given, environment, notes)
    bundle = _bundle_of(given) if given.bundle else _script_of(given, environment, config)
    if (given.tls_certificate is None) != (given.tls_key is None):
        raise ServingError("bad_arguments", "--tls-certificate and --tls-key belong together")
    bundle = _with_serving(bundle, given)
    telemetry, more = telemetry_settings.read(
        environment, flag=given.otel_endpoint, bundle=bundle.serving.otel_endpoint, compatible=given.compatible
    )
    telemetry_file = given.telemetry_file
    if telemetry_file is None and given.auth_file is not None:
        telemetry_file = given.auth_file.with_name(telemetry_settings.FILE)
    bundle = _with_collection(bundle, given, {**config, **environment})
    script = bundle.entry_script_path
    made = {
        **vars(given),
        "bundle": bundle,
        "python": _interpreter(given.python),
        "log_format": "compatible" if given.compatible and given.log_format == "text" else given.log_format,
        "certificate": None if given.tls_certificate is None else (given.tls_certificate, given.tls_key),
        "drain_seconds": max(given.drain_seconds, 0.0),
        "notice_seconds": max(given.notice_seconds, 0.0),
        "limits": limits,
        "logging_file": existing_settings.find(
            existing_settings.LOGGING, [bundle.app_root, None if script is None else script.parent]
        )
        if given.compatible
        else None,
        "version_header": environment.get("SERVER_VERSION_LOG_RESPONSE_ENABLED", "true").strip().lower() == "true",
        "log_level": None if given.compatible else given.log_level or environment.get("AZUREML_LOG_LEVEL") or "INFO",
        "telemetry": telemetry,
        "telemetry_file": telemetry_file,
        "notes": notes + more,
        "data_scope": given.data_scope or f"default/default/default/{bundle.service.name}",
    }
    return Options(**{field.name: made[field.name] for field in dataclasses.fields(Options)})


def _with_collection(bundle: Bundle, given: argparse.Namespace, known: Mapping[str, str]) -> Bundle:
    """Let the command line and, for a script, the environment say what is collected."""
    asked = given.collect_model_data or any(
        value is not None for value in (given.capture, given.capture_sample, given.capture_redact)
    )
    collect = bundle.serving.collect
    if bundle.directory is None and given.data_dir is not None:
        asked = asked or known.get("AML_MODEL_DC_STORAGE_ENABLED", "").strip().lower() != "false"
    if collect is None and not asked:
        return bundle
    if given.data_dir is None and asked:
        raise ServingError(
            "bad_arguments", "data is to be collected, but nowhere", hint="name a folder with --data-dir"
        )
    changes = _said(
        capture=given.capture,
        sample=given.capture_sample,
        max_body_bytes=given.capture_max_body_bytes,
        redact=None if given.capture_redact is None else tuple(given.capture_redact),
        max_store_mb=given.max_store_mb,
    )
    try:
        Redaction(changes.get("redact", ()))
    except ValueError as error:
        raise ServingError("bad_arguments", f"--capture-redact: {error}") from None
    settings = dataclasses.replace(collect or Collect(), **changes)
    return dataclasses.replace(bundle, serving=dataclasses.replace(bundle.serving, collect=settings))


def _said(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _interpreter(given: str | None) -> str:
    if given is None:
        return sys.executable
    path = Path(given)
    if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
        return given
    import shutil  # and with it every kind of compression

    found = shutil.which(given)
    if found is None:
        raise ServingError("interpreter_not_found", f"--python: {given} is not an executable file")
    return str(Path(found).absolute()) if os.sep in given else found


def _bundle_of(given: argparse.Namespace) -> Bundle:
    for name in ("entry_script", "model_dir", "source_directory"):
        if getattr(given, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise ServingError("bad_arguments", f"{option} cannot be used with --bundle, which names its own")
    return bundles.load(Path(given.bundle), None if given.app_root is None else Path(given.app_root))


def _script_of(given: argparse.Namespace, environment: Mapping[str, str], config: Mapping[str, str]) -> Bundle:
    known = {**config, **{name: environment[name] for name in VARIABLES if environment.get(name)}}
    app_root = Path(given.app_root or known.get("AML_APP_ROOT") or ".").absolute()
    if not app_root.is_dir():
        raise ServingError("app_root_not_found", f"The application root {app_root} is not a folder")
    entry = known.get("AZUREML_ENTRY_SCRIPT")
    if given.entry_script is not None:
        entry = str(Path(given.entry_script).resolve())
        if not Path(entry).is_file():
            raise ServingError("entry_script_not_found", f"The entry script {entry} is not a file")
    elif entry is None and not (app_root / "main.py").is_file():
        missing = "No score script found. Expected score script main.py." if given.compatible else ""
        raise ServingError(
            "entry_script_missing",
            missing or "No entry script is given",
            hint="name one with --entry-script, or a --bundle",
            exit_code=3 if given.compatible else 1,
        )
    model_dir = known.get("AZUREML_MODEL_DIR")
    if given.model_dir is not None:
        model_dir = _model_dir(given.model_dir, app_root)
    standard = Service()
    return Bundle(
        app_root=app_root,
        entry_script=entry,
        source_directory=given.source_directory or known.get("AZUREML_SOURCE_DIRECTORY"),
        model_dir=model_dir,
        service=Service(
            name=known.get("SERVICE_NAME", standard.name),
            version=known.get("SERVICE_VERSION", standard.version),
            path_prefix=known.get("SERVICE_PATH_PREFIX", standard.path_prefix).strip("/"),
        ),
        serving=Serving(
            workers=_number(known, "WORKER_COUNT", Serving().workers),
            scoring_timeout_ms=_timeout_ms(known, environment, given.compatible),
            cors_origins=_origins(known.get("AML_CORS_ORIGINS", "")),
            preload=known.get("WORKER_PRELOAD", "").strip().lower() == "true",
        ),
    )


def _model_dir(given: str, app_root: Path) -> str:
    """Return the value of AZUREML_MODEL_DIR: as given below the application root, since scripts take it apart."""
    folder, inside = Path(given).absolute(), app_root / given
    if not folder.is_dir() and not inside.is_dir():
        raise ServingError("model_dir_not_found", f"The model folder {folder} is not a folder")
    if not Path(given).is_absolute() and inside.is_dir() and (not folder.is_dir() or inside.samefile(folder)):
        return given
    return str(folder)


def _number(known: Mapping[str, str], name: str, default: int) -> int:
    try:
        number = int(known.get(name, default))
    except ValueError:
        number = 0
    if number < 1:
        raise existing_settings.wrong(name, f"should be a whole number of 1 or more, not {known[name]!r}")
    return number


def _timeout_ms(known: Mapping[str, str], environment: Mapping[str, str], compatible: bool) -> int:
    limit = _number(known, "SCORING_TIMEOUT_MS", ALONE_TIMEOUT_MS)
    if not compatible or environment.get("WORKER_TIMEOUT", "0").strip() == "0":
        return limit
    # Whoever has set it wants a worker gone that is as slow; that it is some minutes by default is of no use to anyone.
    return min(limit, 1000 * _number(environment, "WORKER_TIMEOUT", 0))


def _origins(text: str) -> tuple[str, ...]:
    return tuple(origin.strip() for origin in text.split(",") if origin.strip())


def _config_file(given: argparse.Namespace, environment: Mapping[str, str], notes: list[str]) -> dict[str, str]:
    """Read AZUREML_CONFIG_FILE, or in compatibility mode ``config.json``: an object with the variables' names."""
    name = environment.get("AZUREML_CONFIG_FILE")
    file = Path(name) if name else None
    if given.compatible and not (file is not None and file.is_file() and file.stat().st_size):
        script = given.entry_script or environment.get("AZUREML_ENTRY_SCRIPT")
        root = Path(given.app_root or environment.get("AML_APP_ROOT") or ".").absolute()
        beside = None if script is None else Path(script).resolve().parent
        file = existing_settings.find(existing_settings.CONFIG, [root, beside])
    if file is None:
        return {}
    try:
        content = json.loads(file.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it should be a JSON object")
    except (OSError, ValueError) as error:
        where = "AZUREML_CONFIG_FILE" if name else "Invalid config file"
        text = f"Configuration Error: {where} {file}: {error}"
        raise ServingError("configuration_error", text, exit_code=3 if given.compatible else 1) from None
    unknown = [key for key in content if key not in VARIABLES and key not in existing_settings.KNOWN]
    if given.compatible and unknown:
        notes.append(f"{file} has keys that are not known and do nothing: {', '.join(unknown)}")
    return {key: str(value) for key, value in content.items() if key in VARIABLES}


def _with_serving(bundle: Bundle, given: argparse.Namespace) -> Bundle:
    """Let options of the command line stand over what the bundle or the environment says."""
    names = [field.name for field in dataclasses.fields(Serving) if field.name not in _READ_OTHERWISE]
    changes = _said(**{name: getattr(given, name) for name in names})
    if given.preload:
        changes["preload"] = True
    if given.cors_origins is not None:
        changes["cors_origins"] = _origins(given.cors_origins)
    prefix = None if given.path_prefix is None else given.path_prefix.strip("/")
    service = _said(name=given.service_name, version=given.service_version, path_prefix=prefix)
    return dataclasses.replace(
        bundle,
        serving=dataclasses.replace(bundle.serving, **changes),
        service=dataclasses.replace(bundle.service, **service),
    )

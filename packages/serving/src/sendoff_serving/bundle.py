"""The bundle: everything that one revision of a service runs, as frozen values, from ``bundle.json`` or by hand.

Parsing is strict: an unknown or ill-typed member is an error that names the file and the member.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from .errors import ServingError
from .recording.redaction import Redaction

SCHEMA_VERSION = 1
FILE_NAME = "bundle.json"

NonFinite = Literal["legacy", "null", "string", "error"]
Capture = Literal["auto", "on", "off"]


def _from_0(default: int | None) -> Any:
    """A whole number that may be 0; others begin at 1."""
    return field(default=default, metadata={"least": 0})


@dataclass(frozen=True, kw_only=True, slots=True)
class Collect:
    """What is stored of requests and of what scripts collect (docs/data-collection.md).

    Attributes:
        capture: whether the front stores inputs and predictions; "auto": unless the script has collectors of its own.
        sample: share of the requests that are captured, above 0 to 1.
        max_body_bytes: largest input, prediction or collected record that is stored.
        redact: names and paths of values that are not stored.
        max_store_mb: size of the service's folder from which nothing more is stored.
        max_file_mb: size of a file from which the day's next one is begun.
    """

    capture: Capture = "auto"
    sample: float = 1.0
    max_body_bytes: int = 65_536
    redact: tuple[str, ...] = ()
    max_store_mb: int = 1024
    max_file_mb: int = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """How requests are served (settled.md, "Scoring server").

    Attributes:
        workers: processes that each call init() once.
        scoring_timeout_ms: deadline of one request, milliseconds from its arrival.
        max_request_wait_ms: longest wait for a worker; None for up to the deadline.
        max_queue: most requests that wait.
        max_body_bytes: largest request body.
        memory_limit_mb: resident memory of one worker with its children above which it is replaced.
        nan: what becomes of NaN and infinity in results.
        cors_origins: origins allowed by CORS; "*" for any.
        preload: fork the workers from one process after init().
        max_batch_rows: most rows of one call of run() for several requests together; None to run each alone.
        rate_limit_per_second: requests that one key or client may make a second; None for any number.
        rate_limit_burst: requests that it may make at once; None for those of one second.
        max_wait_ms: longest time that a request waits for others to join it.
        model_memory_mb: memory of the models that one worker has loaded by name; None for any.
        otel_endpoint: OTLP/HTTP collector of traces and logs; None for none.
        recycle_memory_mb: resident memory from which on a worker is replaced between requests, give or take a tenth.
        max_requests_per_worker: requests after which a worker is replaced, give or take a tenth; None for never.
        collect: what is stored of requests; None for nothing.
    """

    workers: int = 1
    scoring_timeout_ms: int = 60_000
    max_request_wait_ms: int | None = _from_0(None)
    max_queue: int = _from_0(1000)
    max_body_bytes: int = _from_0(100 * 1024 * 1024)
    memory_limit_mb: int | None = None
    nan: NonFinite = "legacy"
    cors_origins: tuple[str, ...] = ()
    preload: bool = False
    recycle_memory_mb: int | None = None
    max_requests_per_worker: int | None = None
    max_batch_rows: int | None = None
    max_wait_ms: int = _from_0(0)
    rate_limit_per_second: float | None = None
    rate_limit_burst: int | None = None
    model_memory_mb: int | None = None
    otel_endpoint: str | None = None
    collect: Collect | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the service is called: title, version and path prefix of its OpenAPI document."""

    name: str = "ML service"
    version: str = "1.0"
    path_prefix: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """One revision of a service.

    Attributes:
        directory: the bundle's folder; None for a script started by hand.
        app_root: absolute application root, the workers' working directory.
        entry_script: path relative to ``app_root``, or absolute; None to import ``main``.
        source_directory: path relative to ``app_root``, put on the import path.
        model_dir: value of AZUREML_MODEL_DIR; None to leave it unset.
        variables: environment variables of the workers.
        models: names and versions of the models in it.
    """

    app_root: Path
    directory: Path | None = None
    entry_script: str | None = None
    source_directory: str | None = None
    model_dir: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    models: tuple[tuple[str, int], ...] = ()
    service: Service = Service()
    serving: Serving = Serving()

    @property
    def entry_script_path(self) -> Path | None:
        """Absolute path of the entry script."""
        return None if self.entry_script is None else self.app_root / self.entry_script

    @property
    def source_path(self) -> Path | None:
        """Absolute path of the source directory."""
        return None if self.source_directory is None else self.app_root / self.source_directory


_Kind = type | tuple[type, ...]


class _Reader:
    """Takes members out of a JSON object one by one; what is left over is unknown.

    Args:
        value: the JSON value that should be an object.
        where: file and path within it, for messages.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, f"should be an object, not {_kind(value)}")
        self._left: dict[str, Any] = dict(value)
        self._seen: list[str] = []
        self._where = where

    def at(self, name: str) -> str:
        return f"{self._where}: {name}" if self._where.endswith(FILE_NAME) else f"{self._where}.{name}"

    def take(self, name: str, kind: _Kind, default: Any = ..., *, least: int | None = None, null: bool = False) -> Any:
        self._seen.append(name)
        if name not in self._left:
            if default is ...:
                raise _wrong(self.at(name), "is missing")
            return default
        value = self._left.pop(name)
        if value is None and null:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise _wrong(self.at(name), f"should be {_WORDS[kind]}, not {_kind(value)}")
        if least is not None and isinstance(value, int) and value < least:
            raise _wrong(self.at(name), f"should be at least {least}, not {value}")
        return value

    def done(self) -> None:
        for name in self._left:
            import difflib

            near = difflib.get_close_matches(name, self._seen, n=1)
            raise _wrong(self.at(name), "is not known" + (f"; did you mean {near[0]!r}?" if near else ""))


_WORDS: dict[_Kind, str] = {
    (int, float): "a number",
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return "a fraction" if isinstance(value, float) else _WORDS.get(type(value), type(value).__name__)


def _wrong(where: str, what: str) -> ServingError:
    return ServingError("bundle_invalid", f"{where} {what}")


def load(directory: Path, app_root: Path | None = None) -> Bundle:
    """Read a bundle's folder.

    Args:
        directory: the folder that holds ``bundle.json``.
        app_root: where the application is, when it is not where the bundle says: an image may have it elsewhere.

    Raises:
        ServingError: the folder is no bundle, is of an unknown schema version, or a member is wrong; the message
            names the file and the member.
    """
    file = directory / FILE_NAME
    try:
        raw = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ServingError("bundle_not_found", f"{directory} is not a bundle: it has no {FILE_NAME}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ServingError("bundle_unreadable", f"{file} cannot be read: {error}") from None
    except ValueError as error:
        raise ServingError("bundle_invalid", f"{file} is not JSON: {error}") from None
    bundle = parse(raw, directory.absolute(), app_root)
    if not bundle.app_root.is_dir():
        raise ServingError("bundle_invalid", f"{file}: app_root names a folder that is not there: {bundle.app_root}")
    script = bundle.entry_script_path
    if script is not None and not script.is_file():
        raise ServingError("bundle_invalid", f"{file}: entry_script names a file that is not there: {script}")
    return bundle


def parse(raw: Any, directory: Path, app_root: Path | None = None) -> Bundle:
    """Check the content of ``bundle.json``.

    Args:
        raw: the parsed JSON.
        directory: the bundle's absolute folder.
        app_root: see ``load``.

    Raises:
        ServingError: see ``load``.
    """
    where = str(directory / FILE_NAME)
    top = _Reader(raw, where)
    version = top.take("schema_version", int)
    if version != SCHEMA_VERSION:
        raise ServingError(
            "bundle_version_unknown",
            f"{where} has schema_version {version}; this server reads version {SCHEMA_VERSION}",
            hint="use the sendoff-serving that belongs to the sendoff that made the bundle",
        )
    service = _Reader(top.take("service", dict), f"{where}: service")
    named = Service(
        name=service.take("name", str),
        version=service.take("version", str, "1.0"),
        path_prefix=service.take("path_prefix", str, "").strip("/"),
    )
    service.done()
    inside = _inside(top.take("app_root", str, "app"), top.at("app_root"))
    app_root = directory / inside if app_root is None else app_root.absolute()
    entry = _inside(top.take("entry_script", str), top.at("entry_script"))
    source = top.take("source_directory", str, None, null=True)
    if source is not None:
        _inside(source, top.at("source_directory"))
    model_dir = top.take("model_dir", str, None, null=True)
    models = _read_models(top.take("models", list, []), where)
    variables = _read_environment(top.take("environment", dict, {}), where)
    serving = _read_serving(top.take("serving", dict, {}), where)
    top.done()
    if model_dir is not None:
        model_dir = str(app_root / _inside(model_dir, top.at("model_dir")))
    return Bundle(
        directory=directory,
        app_root=app_root,
        entry_script=entry,
        source_directory=source,
        model_dir=model_dir,
        variables=variables,
        models=models,
        service=named,
        serving=serving,
    )


def _inside(path: str, where: str) -> str:
    if not path or Path(path).is_absolute() or ".." in Path(path).parts or "\0" in path:
        raise _wrong(where, f"should be a relative path inside the bundle, not {path!r}")
    return path


def _read_models(models: list[Any], where: str) -> tuple[tuple[str, int], ...]:
    read = []
    for index, model in enumerate(models):
        reader = _Reader(model, f"{where}: models[{index}]")
        read.append((reader.take("name", str), reader.take("version", int, least=1)))
        _inside(reader.take("path", str), reader.at("path"))
        reader.take("digest", str, None, null=True)
        reader.done()
    return tuple(read)


def _read_environment(environment: dict[str, Any], where: str) -> dict[str, str]:
    reader = _Reader(environment, f"{where}: environment")
    reader.take("name", str, None, null=True)
    reader.take("version", str, None, null=True)
    reader.take("lock_digest", str, None, null=True)
    given = reader.take("variables", dict, {})
    reader.done()
    for name, value in given.items():
        if not isinstance(value, str) or "\0" in value or not name or "=" in name or "\0" in name:
            raise _wrong(f"{where}: environment.variables.{name}", "should be text, under a name without '='")
    return dict(given)


def _settings(kind: type[Any], reader: _Reader) -> dict[str, Any]:
    """Take the members of a class of settings, each by the type of its field."""
    taken: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        known = kind.__dataclass_fields__[name]
        wanted, null = (get_args(hint)[0], True) if isinstance(hint, UnionType) else (hint, False)
        if get_origin(wanted) is Literal:
            value = reader.take(name, str, known.default)
            if value not in get_args(wanted):
                raise _wrong(reader.at(name), f"should be one of {', '.join(get_args(wanted))}, not {value!r}")
        elif get_origin(wanted) is tuple:
            value = tuple(reader.take(name, list, known.default))
            if not all(isinstance(item, str) for item in value):
                raise _wrong(reader.at(name), "should be a list of text")
        else:
            plain: Any = {float: (int, float), Collect: dict}.get(wanted, wanted)
            least = known.metadata.get("least", 1) if wanted is int else None
            value = reader.take(name, plain, known.default, least=least, null=null)
        taken[name] = value
    return taken


def _read_serving(serving: dict[str, Any], where: str) -> Serving:
    reader = _Reader(serving, f"{where}: serving")
    read = _settings(Serving, reader)
    rate = read["rate_limit_per_second"]
    if rate is not None and not 0 < rate < 1e9:
        raise _wrong(reader.at("rate_limit_per_second"), f"should be above 0, not {rate}")
    if read["collect"] is not None:
        read["collect"] = _read_collect(_Reader(read["collect"], reader.at("collect")))
    reader.done()
    return Serving(**read)


def _read_collect(reader: _Reader) -> Collect:
    read = _settings(Collect, reader)
    if not 0 < read["sample"] <= 1:
        raise _wrong(reader.at("sample"), f"should be above 0 and at most 1, not {read['sample']}")
    try:
        Redaction(read["redact"])
    except ValueError as error:
        raise _wrong(reader.at("redact"), f"has a rule that is none: {error}") from None
    reader.done()
    return Collect(**read)

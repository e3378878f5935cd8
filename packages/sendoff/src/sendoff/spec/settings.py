"""Settings: what holds for a whole home, from ``settings.toml`` and ``SENDOFF_*`` variables.

Every field is one key of the file and one variable: ``index_url`` is ``SENDOFF_INDEX_URL``. A variable stands over the
file. ``docs/store.md`` has the table; a test fails when a field is missing there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from ..errors import InvalidInput
from .parse import Spec, decode, text_of

FILE = "settings.toml"
PREFIX = "SENDOFF_"


class Settings(Spec):
    """Settings of a home; the defaults need no network configuration and keep everything on this machine.

    ``None`` and empty lists mean "as pip is configured on this machine" for everything about package indexes.
    """

    local_target: str | None = None
    """The target that a ``LocalWebservice`` runs on; None is the first of the table of targets."""
    aci_target: str = "auto"
    """Where container instances and services without a configuration run; ``auto``: containers if there can be."""
    docker_network: str | None = None
    """The engine's network that containers of services are in; None is one of the home's own."""
    index_url: str | None = None
    extra_index_urls: list[str] = []
    find_links: list[str] = []
    wheelhouse: str | None = None
    """Folder of wheels that is looked into before any index."""
    ca_bundle: str | None = None
    proxy: str | None = None
    """Proxy of every build, and of this machine's own connections to registries, as ``http://[user:password@]host:port``."""
    no_proxy: str | None = None
    """Hosts that are reached without it, as in the variable ``NO_PROXY``."""
    offline: bool = False
    """Never open a connection to resolve or build: cache, wheelhouse and find_links only."""
    channels: list[str] = []
    """conda channels for specs that name none."""
    base_image: str = "python:3.11-slim-bookworm"
    """Image that images are built upon where the environment names none; best with Python 3.11 or newer in it."""
    image_registry: str | None = None
    """Registry that images are pushed to, as ``host[:port][/path]``; none: packages stay in the engine."""
    interpreters: list[str] = []
    """Folders or interpreters to look at before ``PATH`` for ``python=X.Y``."""
    data_store: str | None = None
    """Where collected data is copied to: ``s3://bucket/prefix``, ``az://container/prefix``, ``file:///folder``."""
    data_store_endpoint: str | None = None
    """Address of an S3-compatible service, for ``data_store``."""
    pickle_policy: Literal["warn", "deny", "allow-list"] = "warn"
    """``deny`` refuses models whose pickles the scan calls dangerous, ``allow-list`` those that import what is neither
    safe nor in ``pickle_allow``; without an entry script the loading itself is held to it."""
    pickle_allow: list[str] = []
    """Modules, or ``module.name``, that pickles may import under ``allow-list`` beside those that are safe."""
    scan_seconds: float = 20.0
    """Time that the scan of one model's pickles may take."""
    otel_endpoint: str | None = None
    """OTLP/HTTP collector of services with ``enable_app_insights``; None: as ``OTEL_EXPORTER_OTLP_ENDPOINT`` says."""
    otel_headers: list[str] = []
    """Headers for it, ``name=value``; a key that it asks for."""
    log_max_bytes: int = 10_485_760
    log_files: int = 5
    """How many rotated log files are kept beside the current one."""


def is_collector(url: str) -> bool:
    """Whether an OTLP/HTTP collector can be at an address."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def names() -> tuple[str, ...]:
    """Every setting's name, in the order of the documentation's table."""
    return tuple(_kinds())


def _kinds() -> dict[str, Any]:
    struct: Any = Settings
    return {field.encode_name: field.type for field in msgspec.structs.fields(struct)}


def load_settings(home: Path, environ: Mapping[str, str]) -> Settings:
    """Read a home's settings.

    Args:
        home: The folder that may hold ``settings.toml``.
        environ: Variables, as ``os.environ``; an empty value counts as not set. Lists are separated by blanks,
            ``interpreters`` by ``:`` as ``PATH`` is; booleans are 1/0, true/false, yes/no, on/off.

    Raises:
        InvalidInput: The file is malformed, has an unknown key (the hint names the nearest) or a wrong value; or a
            variable has. The message names the file or variable.
    """
    path = home / FILE
    values = _read(path)
    settings = _checked(decode(values, Settings, where=str(path)), str(path))
    for name in names():
        variable = PREFIX + name.upper()
        if text := environ.get(variable):
            values[name] = _from_text(name, text, variable)
            settings = _checked(decode(values, Settings, where=variable), variable)
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidInput(f"settings file {path} cannot be read: {error.strerror}", where=str(path)) from None
    import tomllib  # most homes have no settings file

    try:
        return tomllib.loads(text_of(data))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"settings file {path} is not valid TOML: {error}", where=str(path)) from None


_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _from_text(name: str, text: str, variable: str) -> Any:
    kind = _kinds()[name]
    if kind == list[str]:
        return [part for part in (text.split(os.pathsep) if name == "interpreters" else text.split()) if part]
    if kind is bool:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise InvalidInput(f"{variable}: {text!r} is neither true nor false", hint="Use 1 or 0.", where=variable)
        return text.lower() in _TRUE
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise InvalidInput(f"{variable}: {text!r} is not a number", where=variable) from None
    return text


def _checked(settings: Settings, where: str) -> Settings:
    for name, least in (("scan_seconds", 0), ("log_max_bytes", 1024), ("log_files", 0)):
        if getattr(settings, name) < least:
            raise InvalidInput(f"{where}: {name} has to be {least} or more", where=where, field=name)
    if settings.otel_endpoint is not None and not is_collector(settings.otel_endpoint):
        raise InvalidInput(
            f"{where}: otel_endpoint has to be the http address of a collector; got {settings.otel_endpoint!r}",
            hint="For example http://127.0.0.1:4318.",
            where=where,
            field="otel_endpoint",
        )
    if any(not header.partition("=")[0].strip() or "=" not in header for header in settings.otel_headers):
        raise InvalidInput(f"{where}: otel_headers has to be a list of name=value", where=where, field="otel_headers")
    return settings

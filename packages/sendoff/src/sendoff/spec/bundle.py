"""The bundle's manifest, ``bundle.json``: what every target runs (design.md sec. 4).

The scoring server has its own reader of the same file: the data plane imports nothing of the control plane.
"""

from __future__ import annotations

from .data_collection import DataCollection
from .parse import Spec

SCHEMA_VERSION = 1


class BundleService(Spec):
    """Names that the Swagger document shows."""

    name: str
    version: str = "1.0"
    path_prefix: str = ""


class BundleModel(Spec):
    """A model's folder, relative to the application root."""

    name: str
    version: int
    path: str


class BundleEnvironment(Spec):
    """The environment that the bundle was made for; the interpreter itself is given at start."""

    name: str
    version: str | None
    lock_digest: str
    variables: dict[str, str] = {}


class ServingSettings(Spec):
    """Settings of the front and its workers; ``None`` waits are bounded by the deadline (settled.md)."""

    workers: int = 1
    scoring_timeout_ms: int = 60_000
    max_request_wait_ms: int | None = None
    max_queue: int = 1_000
    max_body_bytes: int = 104_857_600
    memory_limit_mb: int | None = None
    nan: str = "legacy"
    cors_origins: list[str] = []
    preload: bool = False
    collect: DataCollection | None = None


class Bundle(Spec):
    """``bundle.json``. Paths are relative to ``app_root``, which is relative to the bundle's folder."""

    schema_version: int
    service: BundleService
    app_root: str
    entry_script: str
    source_directory: str | None
    models: list[BundleModel]
    model_dir: str | None
    environment: BundleEnvironment
    serving: ServingSettings

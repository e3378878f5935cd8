"""Resolving without a store: the lock, and where its packages come from."""

from collections.abc import Mapping
from pathlib import Path

from sendoff.environments.indexes import Supply
from sendoff.environments.resolve import Resolution
from sendoff.progress import Progress, silent
from sendoff.spec.environment import EnvironmentSpec, Lock
from sendoff.spec.settings import Settings


def resolve(
    spec: EnvironmentSpec, *, home: Path, settings: Settings, environ: Mapping[str, str], progress: Progress = silent
) -> tuple[Lock, Supply]:
    resolution = Resolution(spec, home=home, settings=settings, environ=environ, progress=progress)
    return resolution.lock(), Supply(resolution.indexes, environ, progress)

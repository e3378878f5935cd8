"""Collected source into a store, as a client sends it."""

from collections.abc import Callable
from pathlib import Path

from sendoff.packaging.collect_source import CollectedSource
from sendoff.spec.inference import SourceSpec


def put_source(collected: CollectedSource, put_file: Callable[[Path], tuple[str, int]]) -> SourceSpec:
    return collected.spec({path: put_file(local) for path, local in collected.files.items()})

"""The bundle of models and code that were checked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..packaging.assemble import assemble
from ..spec.bundle import BundleEnvironment, BundleService, ServingSettings
from ..spec.inference import Code

if TYPE_CHECKING:
    from ..rooms import Rooms


def make_bundle(
    rooms: Rooms,
    workspace: str,
    *,
    service: str,
    models: Iterable[str],
    code: Code,
    environment: str,
    lock_digest: str,
    serving: ServingSettings,
) -> Path:
    """The folder of a bundle, or the one that was made of the same.

    Args:
        rooms: Where models and blobs are.
        workspace: The workspace's name.
        service: What it is called in its documents.
        models: Ids with versions.
        code: Script and environment.
        environment: ``name:version`` of the environment.
        lock_digest: Its lock; empty when the user manages it.
        serving: Settings of the scoring server.

    Raises:
        SendoffError: As :func:`packaging.assemble.assemble`; or a model is gone.
    """
    name, _, version = environment.partition(":")
    variables = code.environment.environment_variables
    return assemble(
        rooms.store,
        service=BundleService(name=service),
        models=[rooms.registry.get(workspace, model) for model in models],
        source=code.source,
        environment=BundleEnvironment(name=name, version=version or None, lock_digest=lock_digest, variables=variables),
        serving=serving,
    )

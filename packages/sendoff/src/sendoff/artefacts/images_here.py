"""What this machine's engine lacks for an image, and what it holds of them."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ..containers import images
from ..containers.engine import connect
from ..containers.labels import HOME, home_id
from ..containers.registries import split_reference
from ..errors import SendoffError
from ..packaging.base_choice import base_reference, logins_of
from ..packaging.image_pull import available
from ..spec.environment import EnvironmentSpec

if TYPE_CHECKING:
    from ..environments.service import Environments
    from ..store import Store


def bound_to_this_machine(environment: EnvironmentSpec) -> str:
    """Why an environment can be in no image, as part of a sentence; empty when it can."""
    docker, python = environment.docker, environment.python
    own_image = docker.base_image or docker.base_dockerfile or docker.extra_steps
    if python.user_managed_dependencies and not own_image and Path(python.interpreter_path).is_absolute():
        return f"the environment's interpreter {python.interpreter_path} is of this machine, and no image is named"
    return ""


def base_problem(store: Store, environments: Environments, environment: EnvironmentSpec) -> str:
    """Why the base image of an environment cannot be had, as part of a sentence; empty when it can.

    Raises:
        SendoffError: The engine does not answer.
    """
    if environment.docker.base_dockerfile:
        return ""
    settings = store.settings
    base, _ = base_reference(environment, settings)
    logins = logins_of(environment, settings, os.environ, environments.image_credentials(environment))
    problem = images.problem(connect(local=True), base, logins.of(split_reference(base)[0]))
    if not problem or available(base, logins=logins, way=environments.supply(None).way):
        return ""
    return f"{problem} (The setting base_image names another one)"


def layers_in_use(home: Path, used: Collection[str], going: Collection[str]) -> set[str] | None:
    """Layers (``diff_ids``) of this home's images that stay on the engine; None when no engine answers.

    Args:
        home: The home.
        used: Ids of images that something refers to.
        going: Ids of images that are garbage.
    """
    if not (home / "images").is_dir():
        return None
    mark = {"label": [f"{HOME}={home_id(home)}"]}
    try:
        engine = connect(local=True)
        mine = [one["Id"] for one in engine.call("GET", "/images/json", query={"filters": mark}, seconds=60.0) or []]
        found = [images.find(engine, id_) or {} for id_ in {*mine, *used} - set(going)]
    except SendoffError:
        return None
    return {layer for facts in found for layer in (facts.get("RootFS") or {}).get("Layers") or []}

"""Whether a revision can run in an image that was made before: code and models are mounted over it.

Base, scoring server, packages and the environment's definition are all that counts; a change of code alone makes no
image. What is remembered is looked up in the engine before it is used.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..containers import images
from ..containers.engine import Engine, EngineError
from ..packaging.assemble import MANIFEST
from ..packaging.base_choice import base_reference
from ..packaging.image import Image
from ..packaging.image_environment import FRONT_LOCK, server_digest
from ..spec.environment import EnvironmentSpec, Lock
from ..spec.parse import encode
from ..targets.base import IMAGE, Artefact
from .remembered import Remembered

if TYPE_CHECKING:
    from ..store import Store


def key_of(store: Store, engine: Engine, bundle: Path, lock: Lock, spec: EnvironmentSpec) -> str | None:
    """What an image for mounted code depends on, as a digest; None when that is not known without building.

    Raises:
        TargetUnavailable: The engine does not answer.
    """
    if spec.docker.base_dockerfile is not None or spec.docker.extra_steps is not None:
        return None
    reference, _ = base_reference(spec, store.settings)
    base = _image(engine, reference)
    if base is None:
        return None
    manifest = json.loads((bundle / MANIFEST).read_bytes())
    facts = [base["Id"], FRONT_LOCK.read_text("utf-8"), server_digest(), lock.digest, manifest.get("model_dir")]
    return hashlib.sha256(encode([*facts, encode(spec).decode()])).hexdigest()


def find(store: Store, engine: Engine, key: str) -> Artefact | None:
    """What was made for a key and is still on the engine."""
    known = _memory(store).get(key)
    try:
        image = _image(engine, str(known["id"])) if known is not None else None
        if known is None or image is None:
            return None
        return Artefact(
            kind=IMAGE,
            reference=image["Id"],
            python=str(known["python"]),
            notes=list(known["notes"]),
            summary=f"{short(image['Id'])}, {int(image['Size']) / 1e6:.0f} MB, as before: code is mounted",
            again=True,
        )
    except (KeyError, TypeError):
        return None


def short(id_: str) -> str:
    """An image's id as people are shown it."""
    return id_.removeprefix("sha256:")[:12]


def remember(store: Store, key: str, image: Image) -> None:
    """Keep what was made for a key."""
    _memory(store).put(key, {"id": image.id, "python": image.python, "notes": image.notes})


def _image(engine: Engine, reference: str) -> dict[str, Any] | None:
    try:
        return images.find(engine, reference)
    except EngineError:
        return None  # The build that follows says what is wrong.


def _memory(store: Store) -> Remembered:
    return Remembered(store.home / "images" / "mounted.json")

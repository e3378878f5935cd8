"""Whether a revision can run in an image that was made before: the docker target mounts code and models over it.

Base, scoring server, packages and the environment's definition are all that counts; a change of code alone makes no
image. What is remembered is looked up in the engine before it is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files
from ..containers import images
from ..containers.engine import EngineError, connect
from ..packaging.assemble import MANIFEST
from ..packaging.base_choice import base_reference
from ..packaging.image import Image
from ..packaging.image_environment import FRONT_LOCK, server_digest
from ..spec.environment import EnvironmentSpec, Lock
from ..spec.parse import encode

if TYPE_CHECKING:
    from ..store import Store

_KEPT = 100


def key_of(store: Store, bundle: Path, lock: Lock, spec: EnvironmentSpec) -> str | None:
    """What an image for mounted code depends on, as a digest; None when that is not known without building.

    Raises:
        TargetUnavailable: The engine does not answer.
    """
    if spec.docker.base_dockerfile is not None or spec.docker.extra_steps is not None:
        return None
    reference, _ = base_reference(spec, store.settings)
    base = _image(reference)
    if base is None:
        return None
    manifest = json.loads((bundle / MANIFEST).read_bytes())
    facts = [base["Id"], FRONT_LOCK.read_text("utf-8"), server_digest(), lock.digest, manifest.get("model_dir")]
    return hashlib.sha256(encode([*facts, encode(spec).decode()])).hexdigest()


def find(store: Store, key: str) -> tuple[str, str, int, list[str]] | None:
    """Id, the worker's interpreter, size in bytes and notes of an image that is still on the engine."""
    known = _known(store).get(key)
    try:
        image = _image(str(known["id"])) if known is not None else None
        return None if known is None or image is None else (
            image["Id"], str(known["python"]), int(image["Size"]), list(known["notes"])
        )  # fmt: skip
    except (KeyError, TypeError):
        return None


def remember(store: Store, key: str, image: Image) -> None:
    """Keep what was made for a key."""
    known = _known(store)
    known.pop(key, None)
    known[key] = {"id": image.id, "python": image.python, "notes": image.notes}
    path = _file(store)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.write_json(path, dict(list(known.items())[-_KEPT:]))


def _image(reference: str) -> dict[str, Any] | None:
    try:
        return images.find(connect(local=True), reference)
    except EngineError:
        return None  # The build that follows says what is wrong.


def _file(store: Store) -> Path:
    return store.home / "images" / "mounted.json"


def _known(store: Store) -> dict[str, Any]:
    try:
        found = json.loads(_file(store).read_bytes())
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}

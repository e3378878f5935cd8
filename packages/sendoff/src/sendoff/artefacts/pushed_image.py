"""An image in a registry, named by its manifest's digest: for targets whose servers pull what they run.

It is made on this machine and its base stays in registries; a container engine is used where a step needs one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..containers import images
from ..containers.engine import Engine, answers, connect
from ..containers.labels import HOME, home_id
from ..containers.registries import split_reference
from ..errors import InvalidInput, SendoffError
from ..packaging.base_choice import find_base
from ..packaging.base_image import BaseImage
from ..packaging.base_in_registry import RegistryBase
from ..packaging.image import Ready, prepare_upon
from ..packaging.image_engine import load
from ..packaging.image_environment import FRONT_LOCK, server_digest
from ..packaging.image_push import push, push_upon
from ..packaging.image_request import ImageRequest
from ..packaging.without_engine import registry_base
from ..progress import Progress, silent
from ..spec.environment import EnvironmentSpec, Lock
from ..spec.imports import Import, NotImported
from ..spec.parse import encode
from ..targets.base import PUSHED_IMAGE, Artefact, Preparation
from .imports_inside import import_inside
from .remembered import Remembered

if TYPE_CHECKING:
    from ..environments.service import Environments
    from ..store import Store

_WITHOUT_CODE = ("interpreter", "server", "packages")


class Upon(NamedTuple):
    """What an image is built upon, with notes, and where that is: in a registry, else on an engine."""

    image: BaseImage
    notes: list[str]
    registry: RegistryBase | None = None
    engine: Engine | None = None


def make(
    store: Store,
    environments: Environments,
    preparation: Preparation,
    progress: Progress,
    *,
    repository: str,
    models: Literal["baked", "mounted"],
) -> Artefact:
    """Make a service's image and push it, or find it in the registry.

    Raises:
        InvalidInput: The setting ``image_registry`` names no registry, or the base image does not exist.
        ImageNeedsEngine: A step needs a container engine, and none answers.
        Unauthorized: A registry does not let us in.
        Unreachable: A registry does not answer.
        EnvironmentFailed: Packages cannot be fetched or built, or no Python fits.
    """
    name = f"{registry_of(store)}/{repository}"
    request = _request(
        store, environments, preparation.environment, preparation.lock, progress,
        bundle=preparation.bundle, models=models,
    )  # fmt: skip
    upon = find_upon(request)
    memory, key = Remembered(store.home / "images" / "pushed.json"), _key(request, upon, name)
    made = _again(request, memory.get(key), name)
    if made is not None:
        return made
    ready = prepare_upon(request, upon.image, upon.notes, engine=upon.engine)
    failed, untried = tried(request, upon, ready, preparation.imports)
    digest = push_to(request, upon, ready, name)
    artefact = Artefact(
        kind=PUSHED_IMAGE,
        reference=f"{name}@{digest}",
        python=ready.python,
        notes=[*ready.notes, *untried],
        summary=f"{name}@{digest[:19]}",
        not_imported=failed,
    )
    if not failed:  # else it is tried again
        memory.put(key, {"digest": digest, "python": artefact.python, "notes": artefact.notes})
    return artefact


def check(
    store: Store, environments: Environments, environment: EnvironmentSpec, lock: Lock | None = None, *, repository: str
) -> None:
    """Raise what :func:`make` would surely raise, before anything is built.

    Args:
        store: The home.
        environments: Knows where packages come from.
        environment: The definition.
        lock: Its packages; None where they are not resolved yet, and then nothing is said of them.
        repository: Where the image would go, below the setting's registry.

    Raises:
        SendoffError: As :func:`make`.
    """
    request = _request(store, environments, environment, lock, silent)
    registry, path, _ = split_reference(f"{registry_of(store)}/{repository}")
    request.registries.client(registry, path, push=True).has_image("latest")  # whether it lets us in
    registry_base(request)


def registry_of(store: Store) -> str:
    """The registry that images go to, ``host[:port][/path]``.

    Raises:
        InvalidInput: No setting names one.
    """
    registry = (store.settings.image_registry or "").rstrip("/")
    if not registry:
        raise InvalidInput(
            "the setting image_registry names no registry for this service's image",
            hint='Type: export SENDOFF_IMAGE_REGISTRY=HOST[:PORT]/PATH; or write image_registry = "HOST[:PORT]/PATH" '
            f"in {store.home / 'settings.toml'}.",
            field="image_registry",
        )
    return registry


def find_upon(request: ImageRequest) -> Upon:
    """What to build upon: the base in its registry, or on an engine where one has to help and answers.

    Raises:
        SendoffError: As :func:`packaging.without_engine.registry_base`, and :func:`packaging.base_choice.find_base`.
    """
    found = registry_base(request)
    if found is not None:
        base, notes = found
        return Upon(base.image, notes, registry=base)
    return on_engine(request)


def on_engine(request: ImageRequest) -> Upon:
    """What to build upon, on the engine that is meant here.

    Raises:
        SendoffError: As :func:`packaging.base_choice.find_base`.
    """
    engine = connect(request.supply.environ)
    image, notes = find_base(request, engine)
    return Upon(image, notes, engine=engine)


def push_to(request: ImageRequest, upon: Upon, ready: Ready, reference: str) -> str:
    """Push an image that is made; the digest of its manifest.

    Args:
        request: What it is made of.
        upon: What it was made upon.
        ready: Its layers.
        reference: Where to; without a tag it gets one of its digest.

    Raises:
        SendoffError: As :func:`packaging.image_push.push`.
    """
    home = request.store.home
    if upon.registry is not None:
        return push_upon(request.registries, upon.registry, ready.parts, ready.config, reference, home=home)
    assert upon.engine is not None
    return push(request.source(upon.engine), upon.image, ready.parts, ready.config, reference, home=home)


def tried(
    request: ImageRequest, upon: Upon, ready: Ready, imports: Sequence[Import]
) -> tuple[list[NotImported], list[str]]:
    """Which imports fail in an image, and a note where no engine could be asked.

    They are tried without code and models, which they do not see: a change of those asks nothing anew.
    """
    if not imports:
        return [], []
    environ, home = request.supply.environ, request.store.home
    try:
        if upon.engine is None and not answers(environ):
            return [], [_untried("no container engine answers here")]
        engine = upon.engine or connect(environ)
        if images.find(engine, upon.image.id) is None:
            request.source(engine).pull(upon.image.reference, field="base_image")
        parts = [part for part in ready.parts if part.layer.name in _WITHOUT_CODE]
        loaded = load(
            engine, upon.image, parts, {"Labels": {HOME: home_id(home)}},
            tags=[], memory=home / "images" / "loaded.json", progress=request.supply.progress,
        )  # fmt: skip
        variables = request.spec.environment_variables
        progress = request.supply.progress
        return import_inside(engine, loaded.id, ready.python, imports, variables, home=home, progress=progress), []
    except SendoffError as error:
        return [], [_untried(error.message)]


def _untried(why: str) -> str:
    return f"What the script imports was not tried in the image ({why}): the service's own start is the first time."


def _request(
    store: Store,
    environments: Environments,
    spec: EnvironmentSpec,
    lock: Lock | None,
    progress: Progress,
    *,
    bundle: str = "",
    models: Literal["baked", "mounted"] = "baked",
) -> ImageRequest:
    return ImageRequest(
        store=store,
        bundle=store.home / "bundles" / bundle,
        lock=lock,
        spec=spec,
        supply=environments.supply(lock, progress),
        models=models,
        credentials=environments.image_credentials(spec),
    )


def _key(request: ImageRequest, upon: Upon, name: str) -> str:
    """What a pushed image depends on, as a digest."""
    base, lock = upon.image, request.lock
    facts: list[Any] = [base.id, base.reference, base.digests, FRONT_LOCK.read_text("utf-8"), server_digest()]
    facts += [lock.digest if lock is not None else "", request.bundle.name, request.models, name]
    return hashlib.sha256(encode([*facts, encode(request.spec).decode()])).hexdigest()


def _again(request: ImageRequest, known: Any, name: str) -> Artefact | None:
    """What was pushed for a key and is still there."""
    try:
        digest, python, notes = str(known["digest"]), str(known["python"]), list(known["notes"])
    except (KeyError, TypeError):
        return None
    registry, repository, _ = split_reference(name)
    if not request.registries.client(registry, repository, push=True).has_image(digest):
        return None
    summary = f"{name}@{digest[:19]}, as before"
    return Artefact(
        kind=PUSHED_IMAGE, reference=f"{name}@{digest}", python=python, notes=notes, summary=summary, again=True
    )

"""What of a home is on the engine and nothing refers to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ...containers import images as engine_images
from ...containers.engine import Engine, EngineError, connect
from ...containers.labels import HOME, home_id
from ...errors import SendoffError
from . import containers

CONTAINER, IMAGE, NETWORK = "container", "image", "network"
OURS = "sendoff/"
"""What the names that we give to images start with."""


class Leftover(NamedTuple):
    """One thing on the engine; ``name`` is for people, ``bytes`` what removing all of them together frees."""

    kind: str
    id: str
    name: str
    bytes: int = 0


class Found(NamedTuple):
    """What nothing refers to, and the layers (``diff_ids``) of the images that stay."""

    leftovers: list[Leftover]
    layers: set[str]


def find(home: Path, *, services: Collection[str], images: Collection[str]) -> Found | None:
    """Containers of no service, images of no revision, and the home's network when no service needs it.

    An image stays when any container on the engine is of it, when it was given a name that is not ours, or when one
    that stays is built upon it. None when no engine answers: what cannot be seen is not garbage.

    Args:
        home: The home.
        services: Uids that exist.
        images: Ids that revisions, containers or packages name.
    """
    try:
        return _find(connect(local=True), home, services, images)
    except SendoffError:
        return None


def remove(leftover: Leftover) -> None:
    """Remove one; somebody else may have by now, or need it.

    Raises:
        TargetUnavailable: The engine does not answer.
    """
    engine = connect(local=True)
    if leftover.kind == CONTAINER:
        containers.remove(engine, leftover.id)
    elif leftover.kind == IMAGE:
        _remove_image(engine, leftover.id)
    else:
        try:
            engine.call("DELETE", f"/networks/{leftover.id}", seconds=60.0)
        except EngineError as error:
            if error.status not in (403, 404, 409):
                raise containers.explain(error, leftover.name) from None


def _find(engine: Engine, home: Path, services: Collection[str], images: Collection[str]) -> Found:
    mark = {"label": [f"{HOME}={home_id(home)}"]}
    ours = containers.listed(engine, home)
    found = [Leftover(CONTAINER, one.id, one.name) for uid, one in ours if uid not in services]
    going = {one.id for one in found}
    listed = engine.call("GET", "/containers/json", query={"all": "1"}, seconds=60.0) or []
    needed = {*images, *(one["ImageID"] for one in listed if one["Id"] not in going)}
    mine = {one["Id"]: one for one in engine.call("GET", "/images/json", query={"filters": mark}, seconds=60.0) or []}
    dead = {id_: _names(one) for id_, one in mine.items() if id_ not in needed}
    dead = {id_: names for id_, names in dead.items() if all(name.startswith(OURS) for name in names)}
    everything = engine.call("GET", "/images/json", seconds=60.0) or []
    layers = {one["Id"]: _layers(engine, one["Id"]) for one in everything} if dead or images else {}
    kept = {id_: chain for id_, chain in layers.items() if id_ not in dead and (id_ in needed or id_ in mine)}
    for id_ in list(dead):
        chain = layers.get(id_) or []
        if chain and any(one[: len(chain)] == chain for one in kept.values()):
            del dead[id_]
    weights = _weights(engine, dead, [chain for id_, chain in layers.items() if id_ not in dead])
    for id_, names in dead.items():
        name = names[0] if names else id_.removeprefix("sha256:")[:12]
        found.append(Leftover(IMAGE, id_, name, weights.get(id_, 0)))
    if not any(uid in services for uid, _ in ours) and not any((home / "docker" / "run").glob("[!.]*")):
        for network in engine.call("GET", "/networks", query={"filters": mark}) or []:
            found.append(Leftover(NETWORK, network["Id"], network["Name"]))
    # Not those of containers of other homes: what they run is nothing that we would build again.
    stay = {id_ for id_ in layers if id_ in images or (id_ in mine and id_ in needed)}
    return Found(found, {layer for id_ in stay for layer in layers[id_]})


def _weights(engine: Engine, dead: Iterable[str], others: list[list[str]]) -> dict[str, int]:
    """Bytes that go with each image when all of them go: layers that others have too weigh nothing."""
    seen = {tuple(chain[: count + 1]) for chain in others for count in range(len(chain))}
    found: dict[str, int] = {}
    for id_ in dead:
        chain = _layers(engine, id_)
        sizes = [int(one["Size"]) for one in reversed(engine_images.history(engine, id_))]
        if len(sizes) != len(chain):
            sizes = [size for size in sizes if size]
        if len(sizes) != len(chain):
            continue
        for count, size in enumerate(sizes):
            place = tuple(chain[: count + 1])
            if place not in seen:
                seen.add(place)
                found[id_] = found.get(id_, 0) + size
    return found


def _layers(engine: Engine, id_: str) -> list[str]:
    facts = engine_images.find(engine, id_) or {}
    return (facts.get("RootFS") or {}).get("Layers") or []


def _names(image: dict[str, Any]) -> list[str]:
    return [name for name in image.get("RepoTags") or [] if name != "<none>:<none>"]


def _remove_image(engine: Engine, id_: str) -> None:
    """Take our names from it, and it itself when it has no other; nothing is forced."""
    for name in _names(engine_images.find(engine, id_) or {}):
        if name.startswith(OURS):
            engine_images.remove(engine, name)
    left = engine_images.find(engine, id_)
    if left is not None and not _names(left):
        engine_images.remove(engine, id_)

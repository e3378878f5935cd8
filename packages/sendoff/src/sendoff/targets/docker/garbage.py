"""What of a home is on the engine and nothing refers to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ...containers import images as engine_images
from ...containers.engine import Engine, connect
from ...containers.labels import HOME, home_id
from ...errors import SendoffError
from ..base import CONTAINER, IMAGE, NETWORK, Leftover, Used
from . import containers

OURS = "sendoff/"
"""What the names that we give to images start with."""


class Found(NamedTuple):
    """What nothing refers to, and the services that containers are of and that do not exist."""

    leftovers: list[Leftover]
    strangers: set[str]


def find(home: Path, used: Used) -> Found:
    """Containers of no service, images of no revision, and the home's network when no service needs it.

    An image stays when any container on the engine is of it, when it was given a name that is not ours, or when one
    that stays is built upon it. Nothing when no engine answers: what cannot be seen is not garbage.
    """
    if not (home / "docker").is_dir() and not (home / "images").is_dir():
        return Found([], set())
    try:
        return _find(connect(local=True), home, used)
    except SendoffError:
        return Found([], set())


def _find(engine: Engine, home: Path, used: Used) -> Found:
    mark = {"label": [f"{HOME}={home_id(home)}"]}
    ours = containers.listed(engine, home)
    strange = [(uid, one) for uid, one in ours if uid not in used.services]
    found = [
        Leftover(kind=CONTAINER, id=one.id, name=one.name, remove=partial(containers.remove, engine, one.id))
        for _, one in strange
    ]
    going = {one.id for one in found}
    listed = engine.call("GET", "/containers/json", query={"all": "1"}, seconds=60.0) or []
    needed = {*used.images, *(one["ImageID"] for one in listed if one["Id"] not in going)}
    mine = {one["Id"]: one for one in engine.call("GET", "/images/json", query={"filters": mark}, seconds=60.0) or []}
    dead = {id_: _names(one) for id_, one in mine.items() if id_ not in needed}
    dead = {id_: names for id_, names in dead.items() if all(name.startswith(OURS) for name in names)}
    everything = engine.call("GET", "/images/json", seconds=60.0) or []
    layers = {one["Id"]: _layers(engine, one["Id"]) for one in everything} if dead else {}
    kept = {id_: chain for id_, chain in layers.items() if id_ not in dead and (id_ in needed or id_ in mine)}
    for id_ in list(dead):
        chain = layers.get(id_) or []
        if chain and any(one[: len(chain)] == chain for one in kept.values()):
            del dead[id_]
    weights = _weights(engine, dead, [chain for id_, chain in layers.items() if id_ not in dead])
    for id_, names in dead.items():
        name = names[0] if names else id_.removeprefix("sha256:")[:12]
        remove = partial(_remove_image, engine, id_)
        found.append(Leftover(kind=IMAGE, id=id_, name=name, bytes=weights.get(id_, 0), remove=remove))
    if not any(uid in used.services for uid, _ in ours) and not any((home / "docker" / "run").glob("[!.]*")):
        for network in engine.call("GET", "/networks", query={"filters": mark}) or []:
            remove = partial(_remove_network, engine, network["Id"], network["Name"])
            found.append(Leftover(kind=NETWORK, id=network["Id"], name=network["Name"], remove=remove))
    return Found(found, {uid for uid, _ in strange})


def _remove_network(engine: Engine, id_: str, name: str) -> None:
    with containers.explained(name, 403, 404, 409):
        engine.call("DELETE", f"/networks/{id_}", seconds=60.0)


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

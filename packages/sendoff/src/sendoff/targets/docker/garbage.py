"""What of a home is on the engine and nothing refers to."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from ...containers.engine import Engine, EngineError, connect
from ...errors import NotSupported, TargetUnavailable
from . import containers
from .labels import HOME, home_id

CONTAINER, IMAGE, NETWORK = "container", "image", "network"


class Leftover(NamedTuple):
    """One thing on the engine; ``name`` is for people."""

    kind: str
    id: str
    name: str


def find(home: Path, *, services: Collection[str], images: Collection[str]) -> list[Leftover]:
    """Containers of no service, images of no revision, and the home's network when no service needs it.

    Nothing when no engine answers: what cannot be seen is not garbage.

    Args:
        home: The home.
        services: Uids that exist.
        images: Ids that revisions or their containers name.
    """
    try:
        engine = connect(local=True)
        return _find(engine, home, services, images)
    except (TargetUnavailable, NotSupported, EngineError):
        return []


def remove(leftover: Leftover) -> None:
    """Remove one; somebody else may have by now.

    Raises:
        TargetUnavailable: The engine does not answer.
    """
    engine = connect(local=True)
    if leftover.kind == CONTAINER:
        containers.remove(engine, leftover.id)
        return
    path = f"/images/{leftover.id}" if leftover.kind == IMAGE else f"/networks/{leftover.id}"
    query = {"force": "1"} if leftover.kind == IMAGE else None
    try:
        engine.call("DELETE", path, query=query, seconds=60.0)
    except EngineError as error:
        # 409: a container has been started from it meanwhile.
        if error.status not in (403, 404, 409):
            raise containers.explain(error, leftover.name) from None


def _find(engine: Engine, home: Path, services: Collection[str], images: Collection[str]) -> list[Leftover]:
    mark = {"label": [f"{HOME}={home_id(home)}"]}
    ours = containers.listed(engine, home)
    found = [Leftover(CONTAINER, one.id, one.name) for uid, one in ours if uid not in services]
    for image in engine.call("GET", "/images/json", query={"filters": mark}) or []:
        if image["Id"] not in images:
            tags = [tag for tag in image.get("RepoTags") or [] if tag != "<none>:<none>"]
            found.append(Leftover(IMAGE, image["Id"], tags[0] if tags else image["Id"].removeprefix("sha256:")[:12]))
    if not any(uid in services for uid, _ in ours) and not any((home / "docker" / "run").glob("[!.]*")):
        for network in engine.call("GET", "/networks", query={"filters": mark}) or []:
            found.append(Leftover(NETWORK, network["Id"], network["Name"]))
    return found

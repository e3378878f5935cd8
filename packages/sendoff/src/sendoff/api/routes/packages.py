"""Packages: an image, or the folder to build one from; and what is in an image."""

from __future__ import annotations

from ...core import Core
from ...spec.bodies import Logs
from ...spec.package import CreatePackage, ImageReport, Package
from ..noun import Noun, room
from ..route import Call, Query, Route

packages = Noun("packages", Package, "/workspaces/{ws}/packages", "/workspaces/{ws}/packages/{id}")


def log(core: Core, call: Call) -> Logs:
    """What its work has said."""
    return Logs(text=core.packages.log(call.path["ws"], call.path["id"]))


def inspect(core: Core, call: Call) -> ImageReport:
    """What is in an image of the engine."""
    from ...packaging.image_inspect import inspect as look

    return look(call.query["image"] or "")


ROUTES = (
    packages.create(
        room(lambda core: core.packages.create),
        "Make an image of models, code and environment, or a folder to build one from",
        CreatePackage,
        status=202,
    ),
    packages.list(room(lambda core: core.packages.list), "Packages, newest first"),
    packages.get(room(lambda core: core.packages.get), "One package with its steps as they are now"),
    packages.part("log", log, "What a package's work has said so far", Logs),
    packages.act(
        "pull",
        room(lambda core: core.packages.pull),
        "Bring a package's image from its registry into the engine of the API's machine",
        Package,
    ),
    Route(
        method="GET",
        path="/images/inspect",
        handler=inspect,
        summary="What is in an image of the engine: layers, packages, the biggest files",
        query=(Query(name="image", summary="Its name or id."),),
        answers={200: ImageReport},
    ),
)

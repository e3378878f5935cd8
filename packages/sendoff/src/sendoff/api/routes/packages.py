"""Packages: an image, or the folder to build one from; and what is in an image."""

from __future__ import annotations

from ...core import Core
from ...spec.bodies import Logs
from ...spec.package import CreatePackage, ImageReport, Package
from ...spec.page import Listed, Page
from ..route import Call, Query, Route


def create(core: Core, call: Call) -> Package:
    """Start the work."""
    return core.packages.create(call.path["ws"], call.body)


def list_(core: Core, call: Call) -> Listed[Package]:
    """A workspace's."""
    return core.packages.list(call.path["ws"], window=call.window)


def get(core: Core, call: Call) -> Package:
    """One as it is now."""
    return core.packages.get(call.path["ws"], call.path["id"])


def log(core: Core, call: Call) -> Logs:
    """What its work has said."""
    return Logs(text=core.packages.log(call.path["ws"], call.path["id"]))


def pull(core: Core, call: Call) -> Package:
    """Bring it into the API's machine's engine."""
    return core.packages.pull(call.path["ws"], call.path["id"])


def inspect(core: Core, call: Call) -> ImageReport:
    """What is in an image of the engine."""
    from ...packaging.image_inspect import inspect as look

    return look(call.query["image"] or "")


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/packages",
        handler=create,
        summary="Make an image of models, code and environment, or a folder to build one from",
        body=CreatePackage,
        answers={202: Package},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/packages",
        handler=list_,
        summary="Packages, newest first",
        answers={200: Page[Package]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/packages/{id}",
        handler=get,
        summary="One package with its steps as they are now",
        answers={200: Package},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/packages/{id}/log",
        handler=log,
        summary="What a package's work has said so far",
        answers={200: Logs},
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/packages/{id}/pull",
        handler=pull,
        summary="Bring a package's image from its registry into the engine of the API's machine",
        answers={200: Package},
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

"""Datastores and the files in them."""

from __future__ import annotations

from ...core import Core
from ...spec.dataset import Datastore, DatastoreFile, FilesChanged, PutFiles, RemoveFiles
from ...spec.page import Listed, Page, cut
from ..route import Call, Query, Route


def list_(core: Core, call: Call) -> Listed[Datastore]:
    """A workspace's."""
    return cut(core.datasets.stores.list(call.path["ws"]), call.window, "name")


def get(core: Core, call: Call) -> Datastore:
    """One."""
    return core.datasets.stores.get(call.path["ws"], call.path["name"])


def set_default(core: Core, call: Call) -> Datastore:
    """Choose the default."""
    return core.datasets.stores.set_default(call.path["ws"], call.path["name"])


def files(core: Core, call: Call) -> Listed[DatastoreFile]:
    """Those that match."""
    path = call.query["path"] or ""
    return core.datasets.stores.files(call.path["ws"], call.path["name"], path, window=call.window)


def put(core: Core, call: Call) -> FilesChanged:
    """Put blobs at paths."""
    return core.datasets.stores.put(call.path["ws"], call.path["name"], call.body)


def remove(core: Core, call: Call) -> FilesChanged:
    """Forget files."""
    return core.datasets.stores.remove(call.path["ws"], call.path["name"], call.body.path)


ROUTES = (
    Route(
        method="GET",
        path="/workspaces/{ws}/datastores",
        handler=list_,
        summary="Datastores of a workspace",
        answers={200: Page[Datastore]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/datastores/{name}",
        handler=get,
        summary="One datastore",
        answers={200: Datastore},
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/datastores/{name}/default",
        handler=set_default,
        summary="Make it the workspace's default",
        answers={200: Datastore},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/datastores/{name}/files",
        handler=files,
        summary="Files of a datastore",
        query=(Query(name="path", summary="A path, a folder, or a pattern with *, ? and **."),),
        answers={200: Page[DatastoreFile]},
        paged=True,
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/datastores/{name}/files",
        handler=put,
        summary="Put blobs, which are stored already, at paths",
        body=PutFiles,
        answers={200: FilesChanged},
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/datastores/{name}/remove",
        handler=remove,
        summary="Forget files of a datastore",
        body=RemoveFiles,
        answers={200: FilesChanged},
    ),
)

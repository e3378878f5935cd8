"""Datastores and the files in them."""

from __future__ import annotations

from ...core import Core
from ...spec.dataset import Datastore, DatastoreFile, FilesChanged, PutFiles, RemoveFiles
from ...spec.page import Listed, cut
from ..noun import Noun, room
from ..route import Call, Query

datastores = Noun("datastores", Datastore, "/workspaces/{ws}/datastores", "/workspaces/{ws}/datastores/{name}")


def list_(core: Core, call: Call) -> Listed[Datastore]:
    """A workspace's."""
    return cut(core.datasets.stores.list(call.path["ws"]), call.window, "name")


def files(core: Core, call: Call) -> Listed[DatastoreFile]:
    """Those that match."""
    path = call.query["path"] or ""
    return core.datasets.stores.files(call.path["ws"], call.path["name"], path, window=call.window)


def remove(core: Core, call: Call) -> FilesChanged:
    """Forget files."""
    return core.datasets.stores.remove(call.path["ws"], call.path["name"], call.body.path)


ROUTES = (
    datastores.list(list_, "Datastores of a workspace"),
    datastores.get(room(lambda core: core.datasets.stores.get), "One datastore"),
    datastores.act(
        "default",
        room(lambda core: core.datasets.stores.set_default),
        "Make it the workspace's default",
        Datastore,
        action="set_default",
    ),
    datastores.parts(
        "files",
        files,
        "Files of a datastore",
        DatastoreFile,
        Query(name="path", summary="A path, a folder, or a pattern with *, ? and **."),
    ),
    datastores.act(
        "files",
        room(lambda core: core.datasets.stores.put),
        "Put blobs, which are stored already, at paths",
        FilesChanged,
        PutFiles,
        action="put",
    ),
    datastores.act("remove", remove, "Forget files of a datastore", FilesChanged, RemoveFiles),
)

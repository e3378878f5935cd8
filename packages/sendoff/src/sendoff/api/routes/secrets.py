"""Secrets of a workspace."""

from __future__ import annotations

from ...core import Core
from ...spec.page import Listed, Page, cut
from ...spec.secret import Secret, SetSecret
from ..route import Call, Route

ONE = "/workspaces/{ws}/secrets/{name}"


def list_(core: Core, call: Call) -> Listed[Secret]:
    """Names."""
    return cut(core.vault(call.path["ws"]).list(call.path["ws"]), call.window, "name")


def get(core: Core, call: Call) -> Secret:
    """One with its value."""
    return core.vault(call.path["ws"]).get(call.path["ws"], call.path["name"])


def put(core: Core, call: Call) -> Secret:
    """Keep one."""
    return core.vault(call.path["ws"]).set(call.path["ws"], call.path["name"], call.body)


def delete(core: Core, call: Call) -> None:
    """Forget one."""
    core.vault(call.path["ws"]).delete(call.path["ws"], call.path["name"])


ROUTES = (
    Route(
        method="GET",
        path="/workspaces/{ws}/secrets",
        handler=list_,
        summary="Names of a workspace's secrets, without their values",
        answers={200: Page[Secret]},
        paged=True,
    ),
    Route(method="GET", path=ONE, handler=get, summary="A secret with its value", answers={200: Secret}),
    Route(
        method="PUT",
        path=ONE,
        handler=put,
        summary="Keep a secret, over the one of that name; it is stored encrypted",
        body=SetSecret,
        answers={200: Secret},
    ),
    Route(method="DELETE", path=ONE, handler=delete, summary="Forget a secret", answers={204: None}),
)

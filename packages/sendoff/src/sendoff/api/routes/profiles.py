"""Profiles: what models were measured to need."""

from __future__ import annotations

from ...core import Core
from ...spec.page import Listed, Page
from ...spec.profile import CreateProfile, Profile
from ..route import Call, Query, Route


def create(core: Core, call: Call) -> Profile:
    """Start measuring."""
    return core.profiles.create(call.path["ws"], call.body)


def list_(core: Core, call: Call) -> Listed[Profile]:
    """A workspace's."""
    return core.profiles.list(call.path["ws"], model=call.query["model"], window=call.window)


def get(core: Core, call: Call) -> Profile:
    """One as it is now."""
    return core.profiles.get(call.path["ws"], call.path["id"])


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/profiles",
        handler=create,
        summary="Measure what CPU, memory, workers and concurrency models need",
        body=CreateProfile,
        answers={202: Profile},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/profiles",
        handler=list_,
        summary="Profiles, newest first",
        query=(Query(name="model", summary="Only those of this model, or of this name:version."),),
        answers={200: Page[Profile]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/profiles/{id}",
        handler=get,
        summary="One profile by id, or the newest of a name, with its steps as they are now",
        answers={200: Profile},
    ),
)

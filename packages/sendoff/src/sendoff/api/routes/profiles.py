"""Profiles: what models were measured to need."""

from __future__ import annotations

from ...core import Core
from ...spec.page import Listed
from ...spec.profile import CreateProfile, Profile
from ...store.pages import newest_first
from ..noun import Noun, room
from ..route import Call, Query

profiles = Noun("profiles", Profile, "/workspaces/{ws}/profiles", "/workspaces/{ws}/profiles/{id}")


def list_(core: Core, call: Call) -> Listed[Profile]:
    """A workspace's."""
    return newest_first(core.profiles.list(call.path["ws"], model=call.query["model"]), call.window)


ROUTES = (
    profiles.create(
        room(lambda core: core.profiles.create),
        "Measure what CPU, memory, workers and concurrency models need",
        CreateProfile,
        status=202,
    ),
    profiles.list(
        list_,
        "Profiles, newest first",
        Query(name="model", summary="Only those of this model, or of this name:version."),
    ),
    profiles.get(
        room(lambda core: core.profiles.get),
        "One profile by id, or the newest of a name, with its steps as they are now",
    ),
)

"""Profiles: what models were measured to need."""

from __future__ import annotations

from ...spec.profile import CreateProfile, Profile
from ..noun import Noun, room
from ..route import Query

profiles = Noun("profiles", Profile, "/workspaces/{ws}/profiles", "/workspaces/{ws}/profiles/{id}")


ROUTES = (
    profiles.create(
        room(lambda core: core.profiles.create),
        "Measure what CPU, memory, workers and concurrency models need",
        CreateProfile,
        status=202,
    ),
    profiles.list(
        room(lambda core: core.profiles.list),
        "Profiles, newest first",
        Query(name="model", summary="Only those of this model, or of this name:version."),
    ),
    profiles.get(
        room(lambda core: core.profiles.get),
        "One profile by id, or the newest of a name, with its steps as they are now",
    ),
)

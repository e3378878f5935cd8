"""Environments: definitions, and building them on the API's machine."""

from __future__ import annotations

from ...core import Core
from ...progress import Progress
from ...spec.bodies import BuiltEnvironment
from ...spec.environment import Environment, EnvironmentSpec
from ..noun import Noun, room
from ..route import Call, Query, Route, Stream

environments = Noun(
    "environments", Environment, "/workspaces/{ws}/environments", "/workspaces/{ws}/environments/{name}"
)
VERSION = Query(name="version", summary="The newest when absent.")


def build(core: Core, call: Call) -> Stream:
    """Resolve and build one version."""
    found = core.environments.get(call.path["ws"], call.path["name"], call.query["version"])

    def work(progress: Progress) -> BuiltEnvironment:
        lock = core.environments.resolve(found.spec, progress)
        built = core.environments.ensure(lock, progress)
        return BuiltEnvironment(name=found.name, version=found.version, key=built.key, python=str(built.python))

    return Stream(work=work)


ROUTES = (
    environments.create(
        room(lambda core: core.environments.register),
        "Register an environment; an equal definition keeps its version",
        EnvironmentSpec,
        action="register",
    ),
    environments.list(room(lambda core: core.environments.list), "The newest version of each environment"),
    environments.get(room(lambda core: core.environments.get), "One version of an environment", VERSION),
    Route(
        method="POST",
        path=f"{environments.one}/build",
        handler=build,
        summary="Resolve and build it; answers progress and the result as JSON lines",
        query=(VERSION,),
        answers={200: BuiltEnvironment},
        streams=True,
    ),
)

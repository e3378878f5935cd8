"""Environments: definitions, and building them on the API's machine."""

from __future__ import annotations

from ...core import Core
from ...progress import Progress
from ...spec.bodies import BuiltEnvironment
from ...spec.environment import Environment, EnvironmentSpec
from ...spec.page import Listed, Page
from ..route import Call, Query, Route, Stream

VERSION = Query(name="version", summary="The newest when absent.")


def register(core: Core, call: Call) -> Environment:
    """Register a definition."""
    return core.environments.register(call.path["ws"], call.body)


def list_(core: Core, call: Call) -> Listed[Environment]:
    """The newest of each name."""
    return core.environments.list(call.path["ws"], window=call.window)


def get(core: Core, call: Call) -> Environment:
    """One version."""
    return core.environments.get(call.path["ws"], call.path["name"], call.query["version"])


def build(core: Core, call: Call) -> Stream:
    """Resolve and build one version."""
    found = get(core, call)

    def work(progress: Progress) -> BuiltEnvironment:
        lock = core.environments.resolve(found.spec, progress)
        built = core.environments.ensure(lock, progress)
        return BuiltEnvironment(name=found.name, version=found.version, key=built.key, python=str(built.python))

    return Stream(work=work)


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/environments",
        handler=register,
        summary="Register an environment; an equal definition keeps its version",
        body=EnvironmentSpec,
        answers={201: Environment},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/environments",
        handler=list_,
        summary="The newest version of each environment",
        answers={200: Page[Environment]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/environments/{name}",
        handler=get,
        summary="One version of an environment",
        query=(VERSION,),
        answers={200: Environment},
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/environments/{name}/build",
        handler=build,
        summary="Resolve and build it; answers progress and the result as JSON lines",
        query=(VERSION,),
        answers={200: BuiltEnvironment},
        streams=True,
    ),
)

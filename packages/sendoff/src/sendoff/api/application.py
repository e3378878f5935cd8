"""The API without a transport: a request in, a response out."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import NotFound, NotSupported, SendoffError, lacking
from ..spec.messages import JSON, NDJSON, PREFIX, Request, Response
from ..spec.parse import encode
from .errors import answer
from .paging import page
from .route import Answer, Route, Stream

if TYPE_CHECKING:
    from ..computes import Computes
    from ..datasets import Datasets
    from ..deployments import Deployments
    from ..deployments.packages import Packages
    from ..deployments.profiles import Profiles
    from ..drift.detectors import Drift
    from ..environments import Environments
    from ..identity.vault import Vault
    from ..modeldata.collected import Collected
    from ..registry import Registry
    from ..runs import Runs
    from ..store import Store

T = TypeVar("T")

log = logging.getLogger("sendoff.api")


class Core:
    """The rooms behind the API, each opened when a route first needs it.

    Args:
        home: The store's folder; made at the first use.
        mode: ``embedded`` or ``server``, as ``GET /v1/health`` shows it.
    """

    def __init__(self, home: Path | str, *, mode: str = "embedded") -> None:
        self.home = Path(home).absolute()
        self.mode = mode
        self._rooms: dict[str, Any] = {}
        self._lock = threading.RLock()

    @property
    def store(self) -> Store:
        """Metadata, blobs and secrets."""

        def make() -> Store:
            from ..store import open_store

            return open_store(self.home)

        return self._once("store", make)

    @property
    def registry(self) -> Registry:
        """Workspaces and models."""

        def make() -> Registry:
            from ..registry import Registry

            return Registry(self.store)

        return self._once("registry", make)

    @property
    def environments(self) -> Environments:
        """Environments, their locks and what is built of them."""

        def make() -> Environments:
            from ..environments import Environments

            return Environments(self.store)

        return self._once("environments", make)

    @property
    def datasets(self) -> Datasets:
        """Datastores and datasets."""

        def make() -> Datasets:
            from ..datasets import Datasets

            return Datasets(self.store)

        return self._once("datasets", make)

    @property
    def deployments(self) -> Deployments:
        """Services and operations."""

        def make() -> Deployments:
            from ..deployments import Deployments
            from ..targets import table

            return Deployments(self.store, self.registry, self.environments, table)

        return self._once("deployments", make)

    @property
    def computes(self) -> Computes:
        """Compute targets."""

        def make() -> Computes:
            from ..computes import Computes

            return Computes(self.store, self.registry)

        return self._once("computes", make)

    @property
    def runs(self) -> Runs:
        """Experiments and their runs."""

        def make() -> Runs:
            from ..runs import Runs

            return Runs(self.store, self.registry)

        return self._once("runs", make)

    def vault(self, workspace: str) -> Vault:
        """The secrets of a workspace that exists."""
        from ..identity.vault import Vault

        self.registry.workspace(workspace)
        return self._once("vault", lambda: Vault(self.store))

    @property
    def packages(self) -> Packages:
        """Images and the folders to build them from."""

        def make() -> Packages:
            from ..deployments.packages import Packages
            from ..deployments.preflight import Rooms
            from ..targets import table

            rooms = Rooms(store=self.store, registry=self.registry, environments=self.environments, targets=table)
            return Packages(rooms, self.deployments.revive)

        return self._once("packages", make)

    @property
    def collected(self) -> Collected:
        """What services have collected."""

        def make() -> Collected:
            from ..modeldata.collected import Collected

            return Collected(self.store)

        return self._once("collected", make)

    @property
    def profiles(self) -> Profiles:
        """What models were measured to need."""

        def make() -> Profiles:
            from ..deployments.preflight import Rooms
            from ..deployments.profiles import Profiles
            from ..targets import table

            rooms = Rooms(store=self.store, registry=self.registry, environments=self.environments, targets=table)
            return Profiles(rooms, self.deployments.revive)

        return self._once("profiles", make)

    @property
    def drift(self) -> Drift:
        """Drift detectors and events."""

        def make() -> Drift:
            from ..drift.detectors import Drift

            return Drift(self.store)

        return self._once("drift", make)

    def close(self) -> None:
        """Give the store's connections back; a later use opens it again."""
        with self._lock:
            store = self._rooms.pop("store", None)
            self._rooms.clear()
        if store is not None:
            store.close()

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._rooms:
                self._rooms[name] = make()
            room: T = self._rooms[name]
            return room


class Application:
    """Answers requests by the table of routes.

    Args:
        core: The rooms that handlers work on.
        routes: The table; None takes all of ``sendoff.api.routes``.
    """

    def __init__(self, core: Core, routes: Sequence[Route] | None = None) -> None:
        from .routes import ROUTES

        self.core = core
        self.routes = tuple(ROUTES if routes is None else routes)

    def handle(self, request: Request) -> Response:
        """Answer one request. Never raises: an unexpected exception is logged and becomes ``internal_error``."""
        try:
            route, variables = self._find(request)
            if route is None:
                return answer(
                    NotSupported(f"{request.path} does not take {request.method}", allowed=variables["allowed"]),
                    status=405,
                )
            call = route.parse(request, variables)
            return self._respond(route, call, route.handler(self.core, call))
        except SendoffError as error:
            return answer(error)
        except Exception as error:
            return answer(_unexpected(request, error))

    def close(self) -> None:
        """Give the store's connections back; a later request opens it again."""
        self.core.close()

    def _find(self, request: Request) -> tuple[Route | None, Mapping[str, str]]:
        allowed = []
        if request.path.startswith(PREFIX + "/"):
            path = request.path[len(PREFIX) :]
            for route in self.routes:
                match = route.pattern.match(path)
                if match and route.method == request.method:
                    return route, match.groupdict()
                if match:
                    allowed.append(route.method)
        if allowed:
            return None, {"allowed": ", ".join(sorted(set(allowed)))}
        raise NotFound(f"there is no {request.path} in this API", hint=f"See {PREFIX}/openapi.json.", path=request.path)

    def _respond(self, route: Route, call: Any, value: Any) -> Response:
        if isinstance(value, Stream):
            return Response(status=200, headers={"content-type": NDJSON}, stream=_events(value))
        status = next(iter(route.answers))
        if isinstance(value, Answer):
            status, value = value.status, value.value
        if status not in route.answers:
            raise AssertionError(f"{route.method} {route.path} answered {status}, which its table does not name")
        if route.answers[status] is None:
            return Response(status=status)
        if route.page_key:
            value = page(value, route.page_key, limit=call.query["limit"], after=call.query["after"])
        return Response(status=status, headers={"content-type": JSON}, body=encode(value))


def embedded(home: Path | str) -> Application:
    """The whole API on a home of this machine, in this process."""
    return Application(Core(home))


def _unexpected(request: Request | None, error: Exception) -> SendoffError:
    where = f"{request.method} {request.path}" if request else "a streamed answer"
    log.error("unexpected exception in %s", where, exc_info=error)
    missing = lacking(error)
    if missing:
        return missing
    return SendoffError(
        f"unexpected {type(error).__name__} in {where}: {error}",
        hint="This is a defect of Sendoff; the traceback is in the log.",
        exception=type(error).__name__,
    )


def _events(stream: Stream) -> Iterator[bytes]:
    """Run long work in a thread and yield its progress, then its result or error, one JSON object a line."""
    lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def work() -> None:
        try:
            lines.put({"result": stream.work(lambda line: lines.put({"progress": line}))})
        except SendoffError as error:
            lines.put({"error": error.payload()})
        except Exception as error:
            lines.put({"error": _unexpected(None, error).payload()})

    threading.Thread(target=work, name="sendoff-stream", daemon=True).start()
    while True:
        event = lines.get()
        yield encode(event) + b"\n"
        if "progress" not in event:
            return

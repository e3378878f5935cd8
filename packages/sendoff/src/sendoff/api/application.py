"""The API without a transport: a request in, a response out."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core import Core
from ..errors import NotFound, NotSupported, SendoffError, lacking
from ..spec.messages import JSON, NDJSON, PREFIX, Request, Response
from ..spec.page import Listed, Page
from ..spec.parse import encode
from .errors import answer
from .route import Answer, Route, Stream

log = logging.getLogger("sendoff.api")


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
        if isinstance(value, Listed):
            value = Page(value=value, next=value.next)
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

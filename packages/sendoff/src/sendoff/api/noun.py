"""The usual routes of a noun: make one, list, get, change and delete it, and what else there is below one.

A file of ``routes`` says what is asked for, what is answered and which method of which room answers it; path, method,
status and the operation's name follow from the shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ..core import Core
from ..spec.page import Listed, Page
from .route import Call, Query, Route

T = TypeVar("T")
S = TypeVar("S")


def room(method: Callable[[Core], Callable[..., T]]) -> Callable[[Core, Call], T]:
    """A handler that hands a request on to a room as it came.

    The room's method gets the variables of the path in their order, then the body of a route that takes one, and by
    name the query's parameters and, for a list, the ``window`` that is asked for.

    Args:
        method: Which one, as ``lambda core: core.computes.get``.
    """

    def handler(core: Core, call: Call) -> T:
        named = {"window": call.window, **call.filters} if call.paged else call.query
        body = () if call.body is None else (call.body,)
        return method(core)(*call.path.values(), *body, **named)

    return handler


class Noun(Generic[T]):
    """Makes the routes of one kind of thing.

    Every method takes the handler, which is :func:`room` or a function of ``(core, call)``, and the summary that the
    OpenAPI document shows. A type checker sees that what the handler gives is what the route answers.

    Args:
        name: The file in ``routes``; the document's tag and the beginning of its operations' names.
        kind: What one is.
        all: The path of all of them; they are made and listed there.
        one: The path of one.
    """

    def __init__(self, name: str, kind: type[T], all: str, one: str) -> None:
        self.name, self.kind, self.all, self.one = name, kind, all, one

    def create(
        self,
        handler: Callable[[Core, Call], T],
        summary: str,
        body: type,
        *,
        status: int = 201,
        action: str = "create",
    ) -> Route:
        """Make one from a body."""
        return self._route("POST", self.all, handler, summary, action, {status: self.kind}, body=body)

    def list(
        self, handler: Callable[[Core, Call], Listed[T]], summary: str, *query: Query, action: str = "list"
    ) -> Route:
        """All of them that the query asks for, in pages."""
        answers = {200: _page(self.kind)}
        return self._route("GET", self.all, handler, summary, action, answers, query=query, paged=True)

    def get(self, handler: Callable[[Core, Call], T], summary: str, *query: Query, action: str = "get") -> Route:
        """One."""
        return self._route("GET", self.one, handler, summary, action, {200: self.kind}, query=query)

    def update(self, handler: Callable[[Core, Call], T], summary: str, body: type, *, action: str = "update") -> Route:
        """Change one by a body."""
        return self._route("PATCH", self.one, handler, summary, action, {200: self.kind}, body=body)

    def delete(self, handler: Callable[[Core, Call], None], summary: str, *, action: str = "delete") -> Route:
        """Delete one; nothing is answered."""
        return self._route("DELETE", self.one, handler, summary, action, {204: None})

    def part(
        self,
        tail: str,
        handler: Callable[[Core, Call], S],
        summary: str,
        kind: type[S],
        *query: Query,
        action: str | None = None,
    ) -> Route:
        """Something of one, at ``tail`` below it."""
        return self._route("GET", f"{self.one}/{tail}", handler, summary, action or tail, {200: kind}, query=query)

    def parts(
        self, tail: str, handler: Callable[[Core, Call], Listed[S]], summary: str, kind: type[S], *query: Query
    ) -> Route:
        """A list of what one has, in pages."""
        path, answers = f"{self.one}/{tail}", {200: _page(kind)}
        return self._route("GET", path, handler, summary, tail, answers, query=query, paged=True)

    def act(
        self,
        tail: str,
        handler: Callable[[Core, Call], S],
        summary: str,
        kind: type[S] | None,
        body: type | None = None,
        *,
        body_required: bool = True,
        status: int = 200,
        action: str | None = None,
    ) -> Route:
        """Do something with one, by a POST to ``tail`` below it; ``kind`` None answers nothing."""
        path, answers = f"{self.one}/{tail}", {204 if kind is None else status: kind}
        bodies = {"body": body, "body_required": body_required}
        return self._route("POST", path, handler, summary, action or tail, answers, **bodies)

    def _route(
        self, method: str, path: str, handler: Any, summary: str, action: str, answers: dict[int, Any], **more: Any
    ) -> Route:
        more |= {"answers": answers, "operation": (self.name, action)}
        return Route(method=method, path=path, handler=handler, summary=summary, **more)


def _page(kind: type) -> Any:
    return Page[kind]  # type: ignore[valid-type]  # the type is known only here

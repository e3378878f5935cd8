"""A route: method, path, what it takes and what it answers. The table of all of them is in ``routes``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..errors import InvalidInput
from ..progress import Progress
from ..spec.messages import Request
from ..spec.page import Window
from ..spec.parse import decode, did_you_mean

if TYPE_CHECKING:
    from ..core import Core


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query parameter; ``many`` may be given several times."""

    name: str
    type: type[str] | type[int] | type[bool] = str
    many: bool = False
    summary: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request after parsing: path variables, typed query values and the decoded body.

    ``caller`` is who asks (``spec.messages``): the user of an embedded API, or whoever has the server's token.
    """

    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    caller: str
    paged: bool

    @property
    def filters(self) -> Mapping[str, Any]:
        """The query without what asks for a page."""
        return {name: value for name, value in self.query.items() if name not in ("limit", "after")}

    @property
    def window(self) -> Window:
        """Which part of a list is asked for.

        Raises:
            InvalidInput: ``limit`` is 0.
        """
        return Window(limit=self.query["limit"], after=self.query["after"])


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A handler's result with a status other than the route's first."""

    status: int
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A handler's long work: it calls its argument with lines of progress and returns the answer."""

    work: Callable[[Progress], Any]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation of the API.

    ``answers`` maps each status to its answer's type (None: no body); the first is what a plain return value gets.
    ``paged``: the handler gives the part of a list that ``call.window`` asks for, a :class:`~sendoff.spec.page.Listed`.
    ``streams``: progress, then the answer, as NDJSON.
    ``operation``: the noun and what is done with it; the handler's file and name when not given.
    """

    method: str
    path: str
    handler: Callable[[Core, Call], Any]
    summary: str
    answers: Mapping[int, Any]
    body: Any = None
    body_required: bool = True
    query: Sequence[Query] = ()
    paged: bool = False
    streams: bool = False
    operation: tuple[str, str] = ("", "")
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        parts = re.split(r"\{(\w+)\}", self.path)
        text = "".join(f"(?P<{part}>[^/]+)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        object.__setattr__(self, "pattern", re.compile(text + r"\Z"))
        if not any(self.operation):
            noun, done = self.handler.__module__.rpartition(".")[2], self.handler.__name__.rstrip("_")
            object.__setattr__(self, "operation", (noun, done))
        if not self.operation[1].isidentifier():
            raise ValueError(f"{self.method} {self.path} has no action: its handler has no name")

    @property
    def noun(self) -> str:
        """What the route is about: its file's name."""
        return self.operation[0]

    @property
    def action(self) -> str:
        """What one has to be allowed to do: the noun and what is done with it, as in ``models/register``."""
        return "/".join(self.operation)

    @property
    def parameters(self) -> Sequence[Query]:
        """Query parameters, those of paging among them."""
        return (*self.query, *PAGING) if self.paged else self.query

    def parse(self, request: Request, variables: Mapping[str, str]) -> Call:
        """Decode what a request carries.

        Raises:
            InvalidInput: An unknown query parameter, a value of the wrong type, a body that does not fit.
        """
        body = None
        if self.body is not None and (request.body or self.body_required):
            body = decode(request.body, self.body, where="request body")
        elif self.body is not None:
            body = self.body()
        elif request.body:
            raise InvalidInput(f"{self.method} {self.path} takes no body", where="request body")
        return Call(
            path={name: unquote(value) for name, value in variables.items()},
            query=self._query(request.query),
            body=body,
            caller=request.caller,
            paged=self.paged,
        )

    def _query(self, given: Mapping[str, list[str]]) -> dict[str, Any]:
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                hint = did_you_mean(name, list(known), f"Known: {', '.join(known) or 'none'}.")
                raise InvalidInput(f"unknown query parameter {name!r}", hint=hint, where="query", field=name)
        values: dict[str, Any] = {}
        for name, parameter in known.items():
            texts = given.get(name, [])
            if parameter.many:
                values[name] = list(texts)
            elif len(texts) > 1:
                raise InvalidInput(f"query parameter {name!r} is given twice", where="query", field=name)
            else:
                absent = False if parameter.type is bool else None
                values[name] = _value(parameter, texts[0]) if texts else absent
        return values


TAG = Query(name="tag", many=True, summary="`key` or `key=value`; may be repeated, all must match.")
PROPERTY = Query(name="property", many=True, summary="`key` or `key=value`; may be repeated, all must match.")
PAGING = (
    Query(name="limit", type=int, summary="At most this many; the whole list when absent."),
    Query(name="after", summary="The `next` of the answer before."),
)


def _value(parameter: Query, text: str) -> Any:
    if parameter.type is bool:
        if text.lower() in ("true", "false", "1", "0"):
            return text.lower() in ("true", "1")
        expected = "true or false"
    elif parameter.type is int:
        if text.isascii() and text.isdigit() and len(text) < 16:
            return int(text)
        expected = "a whole number from 0"
    else:
        return text
    raise InvalidInput(
        f"query parameter {parameter.name!r} is {text!r}; expected {expected}", where="query", field=parameter.name
    )


def pairs(texts: Iterable[str], name: str) -> list[tuple[str, str | None]]:
    """``["a", "b=c"]`` as ``[("a", None), ("b", "c")]``.

    Raises:
        InvalidInput: An empty key.
    """
    found: list[tuple[str, str | None]] = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not key:
            raise InvalidInput(
                f"query parameter {name!r} is {text!r}; expected key or key=value", where="query", field=name
            )
        found.append((key, value if equals else None))
    return found

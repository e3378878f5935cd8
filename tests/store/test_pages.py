"""Pages of lists: each row once, whatever is added or deleted between them; wrong cursors are refused in a sentence."""

from __future__ import annotations

import base64
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql

from sendoff.errors import InvalidInput
from sendoff.spec.page import ALL, Listed, Window, cut
from sendoff.store.pages import select_page

entries = Table(
    "entries",
    MetaData(),
    Column("made", Double, primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
)
c = entries.c
ORDERS = {
    "one way up": [c.made, c.name, c.version],
    "one way down": [c.made.desc(), c.name.desc(), c.version.desc()],
    "both ways": [c.name, c.version.desc(), c.made],
    "down, then up": [c.made.desc(), c.name, c.version],
}
ROWS = [
    (made, name, version)
    for made in (0.1, 0.2 + 0.1, 7.0)
    for name in ("a", "Ä", "b c", "x\ny")
    for version in (1, 2, 3)
]
POSTGRESQL = os.environ.get("SENDOFF_TEST_POSTGRESQL", "")
"""An empty database of PostgreSQL, as an SQLAlchemy URL: all of these run there too."""


@pytest.fixture(params=["sqlite://", *([POSTGRESQL] if POSTGRESQL else [])])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    engine = create_engine(request.param)
    entries.metadata.drop_all(engine)
    entries.metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def put(connection: Connection, *rows: tuple[float, str, int]) -> None:
    connection.execute(
        insert(entries), [{"made": made, "name": name, "version": version} for made, name, version in rows]
    )


def page(connection: Connection, order: Any, window: Window, **more: Any) -> Listed[tuple[Any, ...]]:
    return select_page(
        connection, select(entries), order, window, lambda row: (row.made, row.name, row.version), **more
    )


def pages(connection: Connection, order: Any, limit: int, **more: Any) -> list[Listed[Any]]:
    found = [page(connection, order, Window(limit=limit), **more)]
    while found[-1].next is not None:
        found.append(page(connection, order, Window(limit=limit, after=found[-1].next), **more))
    return found


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 5, 12, 35, 36, 37, 10**15 - 1])
def test_the_pages_are_the_list(connection: Connection, order: Any, limit: int) -> None:
    put(connection, *ROWS)
    whole = page(connection, order, ALL)
    assert whole.next is None and sorted(whole) == sorted(ROWS)
    found = pages(connection, order, limit)
    assert list(itertools.chain(*found)) == list(whole)
    assert [len(one) for one in found[:-1]] == [limit] * (len(found) - 1)
    assert found[-1]  # a list that ends with a page has no empty one behind it


def test_lists_of_none_and_one(connection: Connection) -> None:
    order = ORDERS["one way down"]
    assert (page(connection, order, Window(limit=1)), page(connection, order, ALL).next) == ([], None)
    put(connection, ROWS[0])
    only = page(connection, order, Window(limit=1))
    assert (only, only.next) == ([ROWS[0]], None)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_what_is_left_is_seen_once_when_rows_go_between_pages(connection: Connection, order: Any) -> None:
    put(connection, *ROWS)
    whole = list(page(connection, order, ALL))
    seen, after = [], None
    gone = set()
    for number in itertools.count():
        found = page(connection, order, Window(limit=3, after=after))
        seen += found
        # The last that was shown, the next that would be, and one long seen.
        for place in (len(seen) - 1 + len(gone - set(seen)), len(seen) + len(gone - set(seen)), number):
            if place < len(whole):
                gone.add(whole[place])
                made, name, version = whole[place]
                connection.execute(delete(entries).where(c.made == made, c.name == name, c.version == version))
        after = found.next
        if after is None:
            break
    assert len(seen) == len(set(seen))
    assert set(whole) - gone <= set(seen)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_what_was_there_is_seen_once_when_rows_come_between_pages(connection: Connection, order: Any) -> None:
    put(connection, *ROWS[::2])
    seen, after, rest = [], None, list(ROWS[1::2])
    while True:
        found = page(connection, order, Window(limit=3, after=after))
        seen += found
        if rest:
            put(connection, rest.pop())
        after = found.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) and set(ROWS[::2]) <= set(seen)


def test_rows_that_only_python_can_tell_fill_pages_too(connection: Connection) -> None:
    put(connection, *ROWS)
    found = pages(connection, ORDERS["one way up"], 4, keep=lambda row: row.version == 2)
    assert [len(one) for one in found] == [4, 4, 4]
    assert list(itertools.chain(*found)) == sorted(row for row in ROWS if row[2] == 2)


def forged(*value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


WRONG = [
    "",
    "nobody:1",
    "Ω",
    "a" * 5000,
    forged(),
    forged("made,name,version"),
    forged("made,name,version", 1.0, "a"),
    forged("made,name,version", 1.0, "a", 1, 1),
    forged("made,name,version", "1", "a", 1),
    forged("made,name,version", 1.0, None, 1),
    forged("made,name,version", 1.0, ["a"], 1),
    forged("made,name,version", 1.0, "a", True),
    forged("made,name,version", 1.0, "a", 1.5),
    forged("made,name,version", 1.0, "a", 10**30),
    forged("made,name,version", float("nan"), "a", 1),
    forged("made,name,version", float("inf"), "a", 1),
    forged("made,name,version", 1.0, "\ud800", 1),
    forged("made,name,version", 1.0, "\0", 1),
    forged("name,version", "a", 1),
    base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]


@pytest.mark.parametrize("after", WRONG, ids=[str(number) for number, _ in enumerate(WRONG)])
def test_a_cursor_of_another_list_or_of_none_is_refused(connection: Connection, after: str) -> None:
    put(connection, ROWS[0])
    with pytest.raises(InvalidInput, match="'after' is no cursor of this list") as caught:
        page(connection, ORDERS["one way up"], Window(limit=2, after=after))
    assert "begins anew" in caught.value.hint and len(caught.value.message) < 200


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_has_at_least_one_entry(limit: int) -> None:
    with pytest.raises(InvalidInput, match=f"'limit' is {limit}; expected at least 1"):
        Window(limit=limit)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_statements_are_postgresqls_too(order: Any) -> None:
    class Recorded(Exception):
        pass

    class Connected:
        def execute(self, query: Any, **_: Any) -> None:
            raise Recorded(str(query.compile(dialect=postgresql.dialect())))

    with pytest.raises(Recorded, match=r"ORDER BY [^;]*LIMIT"):
        after = base64.urlsafe_b64encode(json.dumps([",".join(one.name for one in plain(order)), *key(order)]).encode())
        page(Connected(), order, Window(limit=2, after=after.decode().rstrip("=")))  # type: ignore[arg-type]


def plain(order: Any) -> list[Any]:
    return [getattr(one, "element", one) if one.__class__.__name__ == "UnaryExpression" else one for one in order]


def key(order: Any) -> list[object]:
    return [{"made": 1.5, "name": "a", "version": 1}[one.name] for one in plain(order)]


@dataclass(frozen=True)
class Thing:
    name: str
    number: int


def test_short_lists_are_cut_in_the_same_way() -> None:
    things = [Thing(name, number) for name in "abcd" for number in (1, 2)]
    found = cut(things, Window(limit=3), "name", "number")
    assert list(found) == things[:3]
    left = [thing for thing in things if thing != things[2]]  # the last that was shown is gone
    rest = cut(left, Window(limit=5, after=found.next), "name", "number")
    assert (list(rest), rest.next) == (things[3:], None)
    assert list(cut(things, ALL, "name", "number")) == things
    assert cut([], Window(limit=1, after=found.next), "name", "number") == []
    for order, after in ((("name",), found.next), (("name", "number"), forged("name,number", 1, 2))):
        with pytest.raises(InvalidInput, match="no cursor of this list"):
            cut(things, Window(after=after), *order)

"""Pages of a list, cut by the database: the one way in which rows become a list that a caller reads in parts.

A page begins behind the *key* of the last row that was shown (keyset pagination), not behind a number of rows: what is
added or deleted in between makes nobody see a row twice or miss one, and the thousandth page costs what the first does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, literal, or_, tuple_
from sqlalchemy.sql.operators import desc_op

from ..spec.page import Key, Listed, Window, cursor, key_of

T = TypeVar("T")


def select_page(
    connection: Connection,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    window: Window,
    view: Callable[[Row[Any]], T],
    *,
    keep: Callable[[Row[Any]], bool] | None = None,
) -> Listed[T]:
    """The rows of a query that a window shows, as views.

    Args:
        connection: A transaction.
        query: Selects rows, not ordered yet; the columns of ``order`` are among what it selects.
        order: Columns, ``desc()`` or plain, that together name one row; an index should begin with what the query
            compares and go on with these. All in one direction is what databases do best.
        window: Which part.
        view: Makes an entry of a row.
        keep: Passes the rows that belong to the list, for what cannot be asked in SQL; rows are read until a page is
            full.

    Raises:
        InvalidInput: The cursor is not one of this list.
    """
    downward = [getattr(one, "modifier", None) is desc_op for one in order]
    columns = [one.element if down else one for one, down in zip(order, downward, strict=True)]
    names = [str(column.name) for column in columns]
    query = query.order_by(*order)
    if window.after is not None:
        key = key_of(window.after, ",".join(names), [column.type.python_type for column in columns])
        query = query.where(_behind(columns, downward, key))
    if window.limit is not None and keep is None:
        query = query.limit(window.limit + 1)
    found: Listed[T] = Listed()
    last: Row[Any] | None = None
    # Read as needed, not all at once: with ``keep`` it is not known beforehand how many rows fill a page.
    with connection.execute(query, execution_options={"yield_per": 500}) as rows:
        for row in rows:
            if keep is not None and not keep(row):
                continue
            if len(found) == window.limit:
                assert last is not None
                found.next = cursor(",".join(names), tuple(getattr(last, name) for name in names))
                break
            found.append(view(row))
            last = row
    return found


def _behind(columns: Sequence[ColumnElement[Any]], downward: Sequence[bool], key: Key) -> ColumnElement[bool]:
    """That a row comes after the one with this key."""
    values = [literal(value, column.type) for value, column in zip(key, columns, strict=True)]
    if len(columns) > 1 and len(set(downward)) == 1:
        # One comparison of rows, which SQLite and PostgreSQL both look up in an index of these columns.
        row, last = tuple_(*columns), tuple_(*values)
        return row < last if downward[0] else row > last
    met: ColumnElement[bool] | None = None
    for column, down, value in reversed(list(zip(columns, downward, values, strict=True))):
        beyond = column < value if down else column > value
        met = beyond if met is None else or_(beyond, and_(column == value, met))
    assert met is not None
    # Said once more of the first column alone, or no index is used for the alternatives above.
    return and_(columns[0] <= values[0] if downward[0] else columns[0] >= values[0], met)

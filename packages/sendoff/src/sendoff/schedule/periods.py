"""When a detector runs: after the end of each day, week or month, in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ..spec.drift import DAY, MONTH, WEEK

GRACE_SECONDS = 60.0
"""How long after midnight a period is compared: rows that were on their way are in their files by then."""


def period(frequency: str, last: date) -> tuple[date, date]:
    """First and last day of the period that ends with a day: one day, seven, or the month up to it."""
    if frequency == WEEK:
        return last - timedelta(days=6), last
    if frequency == MONTH:
        return last.replace(day=1), last
    return last, last


def next_run(frequency: str, after: float) -> float:
    """When the period in which a time lies is over, Unix seconds. Weeks end on Sundays."""
    day = datetime.fromtimestamp(after, UTC).date()
    if frequency == WEEK:
        end = day + timedelta(days=7 - day.weekday())
    elif frequency == MONTH:
        end = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        assert frequency == DAY
        end = day + timedelta(days=1)
    return datetime(end.year, end.month, end.day, tzinfo=UTC).timestamp() + GRACE_SECONDS


def last_day(due: float) -> date:
    """The last day of the period after which a run was due."""
    return datetime.fromtimestamp(due - GRACE_SECONDS - 1, UTC).date()

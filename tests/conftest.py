"""What holds for every test."""

import datetime
import os
import signal
import sys
import time

import pytest

# Where an engine answers, container-instance configurations would build images: tests that want that say so.
os.environ.setdefault("SENDOFF_ACI_TARGET", "process")

# Images of containers often tell Python to keep no compiled files. Then each of the thousands of processes that tests
# start compiles what it imports anew, SQLAlchemy and our own packages among it, and each worker all of the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A run in the background of a script ignores SIGINT, and every process that a test starts would inherit that: tests of
# Ctrl-C need the default. A handler is not inherited over exec, "ignored" is.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: near the end a worker that has nothing left takes short ones from another."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def today() -> datetime.date:
    """The day in UTC, for tests of files kept by day; never in its last three minutes, so that none crosses it."""
    to_midnight = 86400 - time.time() % 86400
    if to_midnight < 180:
        time.sleep(to_midnight + 1)
    return datetime.datetime.now(datetime.UTC).date()

"""What holds for every test."""

import datetime
import os
import signal
import sys
import time
from pathlib import Path

import cluster_rig
import pytest
import warm_runner

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


def pytest_configure() -> None:
    """Runners need not import again what a test's process has imported."""
    warm_runner.use()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with slow tests first, as many of them for each worker.

    The scheduler "worksteal" cuts the list into one piece for each worker, and a worker that has nothing left takes
    half of another's last ones. So each piece begins with slow files, and what is left for the end is short.
    """
    # On a machine that never saw the cluster its programs are built beside all other tests, longer than one may take.
    last = [item for item in items if "cluster" in getattr(item, "fixturenames", ())]
    for item in last:
        item.add_marker(pytest.mark.timeout(300, func_only=True))
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if item in last:
            continue
        files.setdefault(item.path, []).append(item)
    slow = {item.path: 0 for item in items if item.get_closest_marker("slow") and item.path in files}
    for item in items:
        if item.path in slow:
            slow[item.path] += item.get_closest_marker("slow") is not None
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    pieces: list[list[pytest.Item]] = [[] for _ in range(workers)]
    weights = [0] * workers
    for path in sorted(slow, key=lambda path: -slow[path]):
        lightest = weights.index(min(weights))
        weights[lightest] += slow[path]
        # The fewer slow tests a file has, the longer one of them takes: last come files of many, which can be shared.
        pieces[lightest][:0] = files.pop(path)
    short = [item for tests in files.values() for item in tests]
    total = len(items) - len(last)
    for number, piece in enumerate(pieces):
        room = max(0, total // (workers - number) - len(piece))
        piece += short[:room]
        del short[:room]
        total -= len(piece)
    items[:] = [item for piece in pieces for item in piece] + short + last


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Where there is no cluster, all tests of it are skipped in one line: from here, not each from its own."""
    if "cluster" in getattr(item, "fixturenames", ()):
        cluster_rig.require_cluster()


@pytest.fixture(scope="session")
def cluster() -> cluster_rig.TestCluster:
    """A real Kubernetes; without one the test is skipped, in CI it is started."""
    return cluster_rig.require_cluster()


@pytest.fixture
def today() -> datetime.date:
    """The day in UTC, for tests of files kept by day; never in its last three minutes, so that none crosses it."""
    to_midnight = 86400 - time.time() % 86400
    if to_midnight < 180:
        time.sleep(to_midnight + 1)
    return datetime.datetime.now(datetime.UTC).date()

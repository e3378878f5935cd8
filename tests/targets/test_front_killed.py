"""``kill -9`` of a process target's front while clients hammer it, again and again."""

from __future__ import annotations

import http.client
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rigs import ProcessRig, wait_for

from sendoff import processes

SCRIPT = """
import json, os, time

def init():
    pass

def run(data):
    time.sleep(0.005)
    return [json.loads(data), os.getpid()]
"""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ProcessRig]:
    made = ProcessRig(tmp_path)
    yield made
    made.close()


def test_clients_lose_what_was_in_flight_and_are_served_again_36(rig: ProcessRig) -> None:
    rig.target.apply(rig.wanted(SCRIPT))
    port = rig.until("ready").port
    stop = threading.Event()
    right: list[int] = []
    wrong: list[object] = []
    pids: set[int] = set()

    def hammer(number: int) -> None:
        while not stop.is_set():
            number += 1
            link = http.client.HTTPConnection("127.0.0.1", port or 0, timeout=20)
            try:
                link.request("POST", "/score", str(number))
                answer = link.getresponse()
                content = json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                stop.wait(0.01)  # cut off, or nobody listens until the supervisor has started the next front
                continue
            finally:
                link.close()
            if answer.status == 200 and content[0] == number:
                right.append(number)
                pids.add(content[1])
            elif not (answer.status == 503 and content["code"] == "not_ready"):
                wrong.append((answer.status, content))

    clients = [threading.Thread(target=hammer, args=(place * 1_000_000,)) for place in range(6)]
    for client in clients:
        client.start()
    try:
        for _ in range(2):
            before = len(right)
            wait_for(lambda before=before: len(right) > before + 50)
            front = rig.front()
            assert front is not None
            gone = [found for pid in [w.pid for w in rig.observe("u1").workers] if (found := processes.identify(pid))]
            assert gone
            processes.send(front, signal.SIGKILL)
            assert processes.wait_ended([front, *gone], 10) == []
            wait_for(lambda front=front: rig.front() not in (None, front))
            assert rig.until("ready").port == port
        before = len(right)
        wait_for(lambda: len(right) > before + 50)
    finally:
        stop.set()
        for client in clients:
            client.join(30)
    assert wrong == []
    assert len(pids) == 3, "each front has had one worker"

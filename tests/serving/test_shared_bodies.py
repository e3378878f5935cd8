"""Large bodies go through memory that front and worker share: every byte arrives, and every place comes back."""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import os
import random
import resource
import signal
import socket
import struct
import sys
import time
from collections import deque
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff_serving.front.workers.generation import Generation
from sendoff_serving.front.workers.launch import Launch
from sendoff_serving.front.workers.process import WorkerProcess
from sendoff_serving.page import PLACES, ROOM
from sendoff_serving.protocol import LARGE, Frame, Kind, ProtocolError, ResultFlag, encode
from sendoff_serving.room import Room, place_of

from .running import eventually

ECHO = """
    import hashlib, os, time
    from azureml.contrib.services.aml_request import rawhttp
    from azureml.contrib.services.aml_response import AMLResponse
    kept = []

    def init():
        pass

    @rawhttp
    def run(request):
        body = request.get_data()
        if request.args.get("keep"):
            kept.append(body)
            return [hashlib.sha256(one).hexdigest() for one in kept]
        if request.args.get("make"):
            return AMLResponse(os.urandom(1) * int(request.args["make"]), 200)
        if request.args.get("pid"):
            return os.getpid()
        return AMLResponse(body, 200)
"""


def shared_kb(pid: int) -> int:
    """Memory that a process has from files of memory, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssShmem")))


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, LARGE + 1, 1 << 20, ROOM - 1, ROOM, ROOM + 1, 3 * ROOM])
def test_bodies_of_every_size_come_back_as_they_were(shared, size) -> None:
    server = shared(ECHO, "--max-body-bytes", 100_000_000)
    for _ in range(2):
        body = random.Random(size).randbytes(size)
        answer = server.score(body)
        assert (answer.status, answer.body == body) == (200, True)


def test_many_at_once_do_not_mix(serve) -> None:
    server = serve(ECHO, "--workers", 2)
    rng = random.Random(2)
    bodies = [rng.randbytes(rng.choice((10, 70_000, 300_000, 1 << 20, 5 << 20))) for _ in range(120)]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(server.score, bodies))
    assert [answer.status for answer in answers] == [200] * len(bodies)
    assert all(answer.body == body for answer, body in zip(answers, bodies, strict=True))


def test_a_large_answer_to_a_small_request(serve) -> None:
    server = serve(ECHO)
    for _ in range(40):
        answer = server.request("POST", "/score?make=2000000", b"")
        assert len(answer.body) == 2_000_000 and len(set(answer.body)) == 1


def test_what_a_script_keeps_of_a_body_stays_what_it_was(serve) -> None:
    server = serve(ECHO)
    bodies = [random.Random(n).randbytes(1 << 20) for n in range(30)]
    sums = [hashlib.sha256(body).hexdigest() for body in bodies]
    for number, body in enumerate(bodies):
        assert server.request("POST", "/score?keep=1", body).json == sums[: number + 1]


def test_clients_that_do_not_read_keep_their_answers_and_nobody_elses(serve) -> None:
    server = serve(ECHO)
    links, bodies = [], []
    for n in range(30):
        body = random.Random(n).randbytes(1 << 20)
        link = server.connect(30)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        link.sendall(
            b"POST /score HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        links.append(link)
        bodies.append(body)
    other = os.urandom(2 << 20)
    for _ in range(20):
        assert server.score(other).body == other
    for link, body in zip(links, bodies, strict=True):
        got = bytearray()
        while data := link.recv(1 << 20):
            got += data
        link.close()
        assert bytes(got).partition(b"\r\n\r\n")[2] == body


def test_workers_killed_amid_large_bodies_fail_no_other_request(serve) -> None:
    server = serve(ECHO, "--workers", 2)
    stop = time.monotonic() + 5
    wrong = []

    def hammer(seed: int) -> int:
        done, rng = 0, random.Random(seed)
        while time.monotonic() < stop:
            body = rng.randbytes(1 << 20)
            answer = server.score(body)
            if answer.status == 200:
                done += 1
                if answer.body != body:
                    wrong.append(seed)
            elif answer.json["code"] != "worker_died":
                wrong.append(answer.json)
        return done

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(hammer, seed) for seed in range(5)]
        while time.monotonic() < stop - 1.5:
            time.sleep(0.7)
            answer = server.request("POST", "/score?pid=1", b"")
            if answer.status == 200:
                os.kill(answer.json, signal.SIGKILL)
        assert sum(client.result() for client in clients) > 10
    assert not wrong
    assert server.score(b"x" * 100_000).status == 200


def test_the_memory_of_large_bodies_is_given_back_when_none_come_any_more(serve) -> None:
    server = serve(ECHO)
    pid = server.request("POST", "/score?pid=1", b"").json
    before = shared_kb(pid)
    body = os.urandom(8 << 20)
    assert server.score(body).body == body
    assert shared_kb(pid) > before + 8000
    eventually(lambda: shared_kb(pid) < before + 1000, 40)
    assert server.score(body).body == body


@given(st.data())
def test_places_in_a_room_never_overlap(data: st.DataObject) -> None:
    size = 20 * LARGE
    memory, free = memoryview(bytearray(size)), set()
    room = Room(memory, free.__contains__)
    live: deque[tuple[int, bytes]] = deque()
    for step in range(data.draw(st.integers(1, 60))):
        length = data.draw(st.integers(LARGE - 2, 8 * LARGE))
        body = bytes([step]) * length
        laid = room.lay((body[:1000], body[1000:]), length)
        if laid is None:
            assert length <= LARGE or live
        else:
            live.append((laid[0], laid[1]))
        for order, reference in live:
            if order not in free:
                found, start, length = place_of(memory, reference)
                lies = bytes(memory[start : start + length])
                assert found == order and lies.count(lies[:1]) == length
        for order, _ in list(live):
            if order not in free and data.draw(st.booleans()):
                free.add(order)
        while live and live[0][0] in free:
            live.popleft()
    assert len([order for order, _ in live if order not in free]) <= PLACES


@given(st.binary(max_size=40))
def test_a_reference_that_a_worker_makes_up_is_refused(reference: bytes) -> None:
    memory = memoryview(bytes(1000))
    try:
        _, start, size = place_of(memory, reference)
    except ProtocolError:
        return
    assert start + size <= 1000


def test_without_room_large_bodies_go_through_the_socket(serve) -> None:
    """A limit on the size of files makes the rooms impossible, as a platform without files of memory does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    try:
        server = serve(ECHO)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    pid = server.request("POST", "/score?pid=1", b"").json
    body = os.urandom(3 << 20)
    assert server.score(body).body == body
    assert shared_kb(pid) < 100


# A worker that is not what it should be: the room that its answers lie in is another one than it says.
LIAR = """
    import os, struct, sys

    def init():
        room = next(module for name, module in sys.modules.items() if name.endswith(".room"))
        lay = room.Room.lay

        def lying(self, pieces, size):
            laid = lay(self, pieces, size)
            if laid is None or size != 200_002:  # two quotes
                return laid
            return laid[0], WRONG

        room.Room.lay = lying

    def run(data):
        return "x" * int(data)
"""


@pytest.mark.parametrize(
    "wrong", ["struct.pack('<QQQ', laid[0], 1 << 40, size)", "struct.pack('<QQQ', laid[0], 2**64 - 1, 1)", "b'short'"]
)
def test_one_bad_answer_fails_alone(serve, wrong) -> None:
    """Requests of one read are answered together; those before the one whose body is not where it is said are good."""
    server = serve(LIAR.replace("WRONG", wrong), "--pipeline", 16)
    assert all(server.score("1").status == 200 for _ in range(5))  # short runs are handed over together
    sizes = [10, 100_000, 20, 30, 100_000, 200_000]
    asked = b"".join(
        b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n%d"
        % (len(str(size)), b"Connection: close\r\n" if size == 200_000 else b"", size)
        for size in sizes
    )
    found = server.raw(asked, 30)
    answers = found.split(b"HTTP/1.1 ")[1:]
    assert len(answers) == len(sizes)
    for size, answer in zip(sizes, answers, strict=True):
        if size == 200_000:
            assert answer.startswith(b"503") and b"worker_died" in answer and b"frame protocol" in answer
        else:
            assert answer.startswith(b"200") and answer.endswith(b'"' + b"x" * size + b'"')
    assert server.score("100000").status == 200
    server.stop()
    assert server.log.count("not of the frame protocol") == 1


class Told:
    """A fake owner of a worker: keeps the ids of what was answered, and why the worker ended."""

    def __init__(self) -> None:
        self.answered: list[int] = []
        self.died: list[str] = []

    def worker_answered(self, worker: WorkerProcess, frames: list[Frame]) -> None:
        self.answered += [frame.id for frame in frames]

    def worker_died(self, worker: WorkerProcess, reason: str) -> None:
        self.died.append(reason)


BAD_REFERENCE = struct.pack("<QQQ", 1, 1 << 40, 100_000)


@pytest.mark.parametrize(
    ("bad", "good_behind"),
    [
        (encode(Kind.RESULT, [BAD_REFERENCE], 200 | ResultFlag.SHARED, 3), True),
        (encode(Kind.RESULT, [], 200 | ResultFlag.SHARED, 3), True),
        (encode(Kind.RUN, [b"a worker sends no such frame"], 0, 3), False),
        (b"XX and no frame at all, longer than a head", False),  # where the next frame begins is not known any more
    ],
)
def test_what_is_good_in_the_read_of_a_bad_frame_is_answered(bad: bytes, good_behind: bool) -> None:
    told = Told()

    async def feed() -> None:
        worker = WorkerProcess(Launch(python=sys.executable, cwd="/", environment={}), cast(Generation, told))
        os.close(worker._make_page())
        good = [encode(Kind.RESULT, [b"{}"], 200, number) for number in (1, 2, 4)]
        worker.data_received(b"".join([*good[:2], bad, good[2]]))

    asyncio.run(feed())
    assert told.answered == ([1, 2, 4] if good_behind else [1, 2])
    assert len(told.died) == 1 and "not of the frame protocol" in told.died[0]

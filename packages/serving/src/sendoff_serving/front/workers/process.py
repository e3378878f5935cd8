"""One worker process as the front sees it: start, frames, output, end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from ... import page, protocol
from ...page import Page
from ...protocol import LARGE, Decoder, Frame, Kind, ProtocolError, ResultFlag, RunFlag
from .jobs import Job
from .launch import Launch, spawn
from .notices import checked
from .output_lines import Lines
from .reasons import exit_text
from .shared_bodies import SharedBodies

if TYPE_CHECKING:
    from .generation import Generation

State = Literal["starting", "init", "idle", "busy", "dead"]

# Of both ends of the socket: what finds no room in shared memory is handed over without waiting for the reader's turn.
_BUFFER = 1 << 20
# Runs shorter than this are handed over several at a time (spec/performance.md, last section).
SHORT_RUN = 0.001
DEEPEST = 16
# Seconds after which the memory for large bodies is looked at, and given back if nothing was asked for a while.
_UNUSED = 10.0
_OF_JOBS = frozenset({Kind.ERROR, Kind.CHUNK, Kind.END, Kind.SKIPPED})


class WorkerProcess(asyncio.Protocol):
    """A process that runs the script.

    Args:
        launch: how it is started.
        owner: who is told what happens.

    Attributes:
        state: where it is in its life.
        inflight: jobs handed over and not answered, by id; those taken back and not skipped yet, by negative order.
        capacity: how many jobs it may hold at once.
        since: when it last began to work or answered; seconds of the monotonic clock.
        requests: answered jobs.
    """

    def __init__(self, launch: Launch, owner: Generation) -> None:
        self._launch = launch
        self._owner = owner
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []  # frames of this turn of the event loop
        self._process: subprocess.Popen[bytes] | None = None
        self._page: Page | None = None
        self._shared: SharedBodies | None = None
        self._handed = 0
        self._emptying: asyncio.TimerHandle | None = None
        self._pipes: list[asyncio.BaseTransport] = []
        self._link: socket.socket | None = None
        self._pidfd = -1
        self._exited = False
        self._returncode: int | None = None
        self._ended = False
        self._closing = False
        self._mean = -1.0
        self._free = 0.0  # when it was done with the last run, as far as its runs alone tell
        self._deepest = DEEPEST
        self._joins = False
        self.state: State = "starting"
        self.inflight: dict[int, Job] = {}
        self.capacity = 0
        self.since = 0.0
        self.requests = 0
        self.pid = 0
        self.started = time.monotonic()
        self.retiring = False
        self.end_reason: str | None = None
        self.end_code = "worker_died"
        self.timed_out: Job | None = None  # answered by its deadline; the reason this worker is being ended

    async def start(self) -> None:
        """Start the process.

        Raises:
            ServingError: the interpreter cannot be started.
        """
        loop = asyncio.get_running_loop()
        with self._handing_down() as (ours, link, page):
            process = self._process = spawn(self._launch, link, page)
            self.pid = process.pid
        self._watch(loop)
        for stream, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            lines = Lines(partial(self.said, stream))
            transport, _ = await loop.connect_read_pipe(lambda lines=lines: lines, pipe)  # type: ignore[misc]
            self._pipes.append(transport)
        if self._launch.settings.get("template"):
            self._link = ours.dup()
        await loop.create_unix_connection(lambda: self, sock=ours)

    def send_descriptors(self, data: bytes, descriptors: list[int]) -> None:
        """Send a frame with open descriptors, past the transport, which cannot; for templates.

        Raises:
            OSError: the process has ended.
        """
        if self._link is None:
            raise OSError("it has no socket")
        socket.send_fds(self._link, [data], descriptors)

    @contextlib.contextmanager
    def _handing_down(self) -> Iterator[tuple[socket.socket, int, int]]:
        """Make what both sides share: our end of the socket, and descriptors of the other's and of the page."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        page = self._make_page()
        try:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            ours.setblocking(False)
            yield ours, theirs.fileno(), page
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()  # else its end would stay open here, and the socket would not tell of the process's death
            os.close(page)

    def _make_page(self) -> int:
        descriptor, shared = page.make_file()
        self._page = Page(descriptor)
        self._shared = SharedBodies(self._page) if shared else None
        return descriptor

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Learn of the process's end at once, also when a child of it keeps the socket open."""
        process = cast("subprocess.Popen[bytes]", self._process)
        if hasattr(os, "pidfd_open"):
            self._pidfd = os.pidfd_open(process.pid)
            loop.add_reader(self._pidfd, self._on_exit)
            return

        def wait() -> None:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            loop.call_soon_threadsafe(self._on_exit)

        threading.Thread(target=wait, daemon=True).start()

    # asyncio.Protocol, of the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._ended:  # it died while we connected, when there was nothing to close yet
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        # Whatever is wrong, the answers that are right are given, as if they had come in a read of their own.
        frames, wrong = self._decoder.feed_all(data)
        answers: list[Frame] = []
        try:
            for frame in frames:
                kind = frame.kind
                if kind == Kind.RESULT or kind in _OF_JOBS:
                    if frame.code & ResultFlag.SHARED and kind == Kind.RESULT and self._shared is not None:
                        fetched = self._shared.fetch(frame)
                        if fetched is not None:
                            wrong = wrong or fetched
                            continue
                    answers.append(frame)
                    continue
                # In their order: a line of the log can be told whose it is until its request has been answered.
                if answers:
                    self._owner.worker_answered(self, answers)
                    answers = []
                self._other(frame)
        except (ProtocolError, ValueError, LookupError, TypeError) as error:
            wrong = error
        if answers:
            self._owner.worker_answered(self, answers)
        if wrong is not None:
            self.kill(f"it sent something that is not of the frame protocol: {wrong}")

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._ended:
            return
        if self._exited:
            self._end()
        else:
            # It closed its socket: it is ending, or the script closed our descriptor. Its exit status says more.
            asyncio.get_running_loop().call_later(0.25, self.kill, "it closed its connection to the front")

    def _other(self, frame: Frame) -> None:
        if frame.kind == Kind.LOG:
            stream, text = frame.bodies
            self.said(stream.decode("ascii"), text.decode("utf-8", "replace"), frame.id)
            return
        if frame.kind == Kind.COLLECT:
            self._owner.worker_collected(self, frame)
            return
        content = checked(frame, self.state)
        if frame.kind == Kind.HELLO:
            protocol.common_version(content.get("protocol"))
            self.state = "init"
            self.pid = self.pid or int(content["pid"])  # the front knows it of its own children
            if self._transport is not None:
                self._transport.write(protocol.encode(Kind.HELLO, [json.dumps(self._launch.settings).encode()]))
        elif frame.kind == Kind.READY:
            self.state = "idle"
            self.capacity = 1  # until take() knows how long its runs are
            # A worker that joins requests is given as many as it can join; it takes what is there at each turn.
            rows = self._launch.settings.get("max_batch_rows")
            self._deepest = DEEPEST if rows is None else max(DEEPEST, min(int(str(rows)), page.PLACES))
            if rows is not None:
                self.capacity = self._deepest
            self._joins = rows is not None
            self._owner.worker_ready(self, content)
        elif frame.kind == Kind.ENDED:
            self._owner.child_ended(self, int(content["pid"]), int(content["returncode"]))
        elif frame.kind == Kind.NOTE:
            self._owner.worker_noted(self, content)
        elif frame.kind == Kind.FAILED:
            self._closing = True
            self._owner.worker_failed(self, content)

    def said(self, stream: str, text: str, request_id: int | None = None) -> None:
        """Pass lines of the script on, by default those of what runs; "phase" carries what is known before init()."""
        if stream == "phase":
            self._owner.worker_described(self, json.loads(text))
        else:
            piped = request_id is None
            self._owner.worker_said(self, stream, text, request_id or (self.running_id() if piped else 0), piped)

    # Jobs

    def hand(self, job: Job, now: float) -> None:
        """Give the worker a job."""
        job.handed = now
        job.attempts += 1
        self._handed = job.order = self._handed + 1
        if not self.inflight:
            self.since = now
        self.inflight[job.id] = job
        self.state = "busy"
        transport = self._transport
        if transport is None:
            return  # its end is on the way; the job is taken back then
        chunks = job.chunks
        outgoing = self._outgoing
        if not outgoing:
            # What one turn hands over is written together: a write each would wake the worker each time.
            asyncio.get_running_loop().call_soon(self._write_joined if self._joins else self._write_outgoing)
        size, flags = job.size, 0
        if size > LARGE and self._shared is not None:
            reference = self._shared.lay(job.order, chunks, size)
            if reference is not None:
                chunks, size, flags = [reference], len(reference), RunFlag.SHARED
        if job.request is None:
            outgoing.append(protocol.encode_head_of_one(Kind.RUN, size, flags, job.id, job.deadline))
            outgoing += chunks
        else:
            lengths = (size, len(job.request))
            outgoing.append(protocol.encode_head(Kind.RUN, lengths, flags | RunFlag.REQUEST, job.id, job.deadline))
            outgoing += chunks
            outgoing.append(job.request)
        if size > LARGE:  # not kept back for others of the same turn
            self._write_outgoing()

    def _write_joined(self, before: int = 0) -> None:
        """Write what is to be joined once a turn of the event loop has brought no more of it, or enough."""
        jobs = len(self.inflight)
        if before < jobs < self.capacity and self._outgoing:
            asyncio.get_running_loop().call_soon(self._write_joined, jobs)
        else:
            self._write_outgoing()

    def _write_outgoing(self) -> None:
        outgoing = self._outgoing
        transport = self._transport
        if outgoing:
            self._outgoing = []
            if transport is not None:
                transport.writelines(outgoing)

    def take(self, frames: list[Frame], now: float) -> list[Job | None]:
        """Return the job that each frame belongs to, None for one that nobody waits for any more.

        Args:
            frames: of jobs, in the order in which they came.
            now: monotonic time.
        """
        inflight, jobs = self.inflight, []
        answered, pieces, mean, free = 0, 0, self._mean, self._free
        for frame in frames:
            kind = frame.kind
            if kind == Kind.CHUNK or (kind == Kind.RESULT and frame.code & ResultFlag.STREAM):
                job = inflight.get(frame.id)  # more of it follows
                if job is not None and not job.started:
                    job.started = max(free, job.handed)
                jobs.append(job)
                pieces += 1
                continue
            if kind != Kind.SKIPPED:
                job = inflight.pop(frame.id, None)
                answered += 1
                seconds = frame.clock
                mean = seconds if mean < 0 else mean + (seconds - mean) * 0.1
                if job is not None:
                    # One run follows the other. Joined requests ran together, and their answers came at its end.
                    before = now - seconds if self._joins else free
                    started = job.started = job.started or (before if before > job.handed else job.handed)
                    free = started + seconds
            else:
                job = inflight.pop(self._skipped(frame.id), None)
            if job is not None and job.size > LARGE and self._shared is not None:
                self._shared.answered(job.order)
            jobs.append(job)
        if pieces == len(frames):
            return jobs  # a stream that goes on is a long run like any other
        self.since = now
        self.requests += answered
        self._mean, self._free = mean, free
        # One that was killed meanwhile is no longer busy, and keeps its capacity of 0.
        if self.state == "busy":
            self.capacity = 0 if self.retiring else self._deepest if self._joins or mean < SHORT_RUN else 1
            if not inflight:
                self.state = "idle"
                if self._shared is not None and self._shared.used:
                    self._empty_later()
                if self.retiring:
                    self.close()
        return jobs

    def _empty_later(self) -> None:
        if self._emptying is None:
            self._emptying = asyncio.get_running_loop().call_later(_UNUSED, self._empty)

    def _empty(self) -> None:
        """Give the memory of large bodies back when there were none for a while."""
        self._emptying = None
        idle = not self.inflight and time.monotonic() - self.since > _UNUSED / 2
        if self._shared is not None and not (idle and self._shared.empty()):
            self._empty_later()

    def running_id(self) -> int:
        """Id of the request that runs now, 0 for none."""
        if self._page is None or not self.inflight:
            return 0
        # What the script prints comes by a pipe: the page may still name a request whose answer was read before it.
        request_id = self._page.running
        return request_id if request_id in self.inflight else 0

    @property
    def rows(self) -> int:
        """Rows of all results so far, as the worker counts them before it sends an answer."""
        return 0 if self._page is None else self._page.rows

    @property
    def batches(self) -> tuple[int, int]:
        """Calls of run() that were for several requests, and how many requests those were."""
        return (0, 0) if self._page is None else self._page.batches

    def cancel(self, job: Job) -> None:
        """Let a job whose client has gone not be run, or tell the worker that nobody reads its stream any more."""
        if self._page is not None and not self.withdraw(job):
            self._page.unread(job.id)

    def withdraw(self, job: Job) -> bool:
        """Take a job back; False if the worker has begun with it. The worker skips what was taken back."""
        if self._page is None or not self._page.withdraw(job.order):
            return False
        del self.inflight[job.id]
        # Not under its id: the job may come back to this worker before the worker says that it has skipped it.
        stand_in = Job([], job.size, id=job.id, order=job.order, deadline=job.deadline, gone=True)
        self.inflight[-job.order] = stand_in
        job.attempts -= 1  # it was not run there
        job.handed = 0.0
        return True

    def _skipped(self, request_id: int) -> int:
        """Return the key of a job that the worker has skipped: the oldest that was taken back, else its own."""
        return next((key for key, job in self.inflight.items() if key < 0 and job.id == request_id), request_id)

    def unstarted(self) -> tuple[list[Job], list[Job]]:
        """Split the jobs that it holds: those it has begun, and those another worker can be given."""
        # The page says it also of a worker that has died or is stuck.
        last = 0 if self._page is None else self._page.begun
        jobs = sorted(self.inflight.values(), key=lambda job: job.order)
        return [job for job in jobs if job.order <= last], [job for job in jobs if job.order > last]

    # The end

    def close(self) -> None:
        """Let the process end by itself: it sees the closed socket, and leaves in Python's own way."""
        self._closing = True
        self._write_outgoing()
        if self._transport is not None:
            self._transport.close()
        asyncio.get_running_loop().call_later(2.0, self._kill_now)

    def retire(self) -> None:
        """Take no more jobs, finish those it has, and end."""
        self.retiring = True
        self.capacity = 0
        if not self.inflight:
            self.close()

    def kill(self, reason: str, code: str = "worker_died") -> None:
        """End the process at once, and its children; its owner is told now."""
        if self.end_reason is None:  # the first is the cause, others follow from it
            self.end_reason = reason
            self.end_code = code
        self._kill_now()
        self._end()  # not when it is gone: a process that the kernel holds would keep its requests waiting

    def _kill_now(self) -> None:
        if self._exited or self._process is None:
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except OSError:
            self._process.kill()

    def _on_exit(self) -> None:
        if self._exited:
            return
        self._exited = True
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        if self._process is not None:
            # Before it is reaped: until then its number, which is its group's too, cannot be another's.
            with contextlib.suppress(OSError):  # it had no children
                os.killpg(self.pid, signal.SIGKILL)
            self._returncode = self._process.wait()
        self._end_soon()

    def _end_soon(self) -> None:
        # Frames it sent before its end may still be in the socket; a child of it may keep the socket open.
        if self._transport is not None and not self._ended:
            asyncio.get_running_loop().call_later(0.02, self._end)
        else:
            self._end()

    def _end(self) -> None:
        if self._exited:
            # A grandchild that left the process group may keep the pipes open for ever.
            for pipe in self._pipes:
                asyncio.get_running_loop().call_later(0.2, pipe.close)
            self._pipes = []
        if self._ended:
            return
        self._ended = True
        self.state = "dead"
        self.capacity = 0
        if self._transport is not None:
            self._transport.abort()
        # Before the page goes: the owner asks which requests were begun.
        self._owner.worker_died(self, self.end_reason or exit_text(self._returncode))
        if self._shared is not None:
            self._shared.close()
        if self._page is not None:
            self._page.close()
        self._page = self._shared = None
        if self._link is not None:
            self._link.close()

    @property
    def ending(self) -> bool:
        """Whether its end is wanted."""
        return self._closing or self._ended

    @property
    def exited(self) -> bool:
        """Whether the process is gone."""
        return self._exited or self._process is None

"""Which job goes to which worker, and when a job has had its time."""

from __future__ import annotations

import asyncio
import math
import time

from ...bundle import Serving
from ...errors import Refusal
from ...protocol import Frame, Kind
from .awake import Awake
from .jobs import Job, WaitingLine
from .process import WorkerProcess

# A job that has been in two workers when they died may be what they died of: it is not given to a third.
_MOST_ATTEMPTS = 2
# A worker that has not answered for this many seconds runs something long, whatever its runs were before: nothing
# more is put behind it, and what stands behind it is taken back, so that another worker can have it.
_LONG = 0.02
# What has no limit of its wait, in seconds: longer than any client waits, and a time that a timer can count.
_PATIENT = 86_400.0


class Dispatcher:
    """Gives jobs to idle workers, keeps the others waiting within bounds, and applies the deadline.

    Args:
        serving: bounds of the queue and the deadline.
        limits_run: the deadline is a limit of run() alone, as the existing server has it, and not of the wait before.
    """

    def __init__(self, serving: Serving, limits_run: bool = False) -> None:
        self._serving = serving
        self._limits_run = limits_run
        self._timeout = serving.scoring_timeout_ms / 1000
        wait = serving.max_request_wait_ms
        self._wait = self._timeout if wait is None else min(wait / 1000, self._timeout)
        # Of a job that no worker has: without a limit of the wait it may stand in the line for as long as it likes.
        self._longest = self._timeout
        if limits_run:
            self._longest = _PATIENT
            self._wait = _PATIENT if wait is None else wait / 1000
        # False once a replacement could not be loaded: then nobody knows when there will be a worker.
        self.expecting = True
        self._line = WaitingLine()
        self._workers: list[WorkerProcess] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._look: asyncio.TimerHandle | None = None
        self._idle: asyncio.Event = asyncio.Event()
        self._idle.set()
        self._busy = False  # what _idle says, where every request asks
        self._awake = Awake()

    @property
    def waiting(self) -> int:
        """Jobs that no worker has."""
        return len(self._line)

    @property
    def running(self) -> int:
        """Jobs that workers have."""
        return sum(len(worker.inflight) for worker in self._workers)

    # Jobs in

    def submit(self, job: Job) -> None:
        """Take a job; it is answered or refused later, or refused now when the queue is full."""
        now = time.monotonic()
        job.admitted = now
        job.deadline = now + self._longest
        # The wait is for a worker that is busy. While there is none and one is being loaded, the deadline alone holds.
        job.wait_until = now + self._wait if self._workers or not self.expecting else job.deadline
        # Those who wait come first, also when a worker has just become free.
        line = self._line
        worker = self._free_worker(now) if not (line.sure or line.unsure) else None
        if worker is not None:
            self._hand(worker, job, now)
        elif len(self._line) >= self._serving.max_queue:
            limit = self._serving.max_queue
            job.refused(
                Refusal(
                    "queue_full",
                    f"All workers are busy and {limit} requests are waiting",
                    "ask again later; the limit is the setting max_queue, the number of workers is workers",
                )
            )
            return
        else:
            self._line.add(job)
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._awake.begin(now)
        due = job.wait_until if job.wait_until < job.deadline else job.deadline
        if self._timer is None or due < self._timer_at:
            # The timer may stand at a far deadline, of a long run: what waits for less must not wait for that.
            self._arm(due)

    def _free_worker(self, now: float) -> WorkerProcess | None:
        best: WorkerProcess | None = None
        least = 1 << 30
        for worker in self._workers:
            load = len(worker.inflight)
            if load < worker.capacity and load < least:
                if not load:
                    return worker
                # A worker that holds requests and runs none waits for more of them to join: that is not a long run.
                if now - worker.since < _LONG or not worker.running_id():
                    best, least = worker, load
        return best

    def _fill(self) -> None:
        now = time.monotonic()
        while self._line:
            worker = self._free_worker(now)
            if worker is None:
                return
            job = self._line.take()
            if job is None:
                return
            self._hand(worker, job, now)

    def _hand(self, worker: WorkerProcess, job: Job, now: float) -> None:
        if self._limits_run:
            job.deadline = now + self._timeout
            self._arm_sooner(job.deadline)
        if worker.inflight and self._look is None:
            self._look = asyncio.get_running_loop().call_later(_LONG, self._take_back)
        worker.hand(job, now)

    def _take_back(self) -> None:
        """Let what stands behind a run that turns out to be long wait in the line again, for any worker."""
        self._look = None
        now = time.monotonic()
        back: list[Job] = []
        again = False
        for worker in self._workers:
            if len(worker.inflight) < 2:
                continue
            begun, behind = worker.unstarted()
            if now - worker.since < _LONG or not begun:  # not begun: it waits for more to join, or has no processor
                again = True
                continue
            for job in behind:
                if not job.gone and worker.withdraw(job):  # forget() has tried it with those that are gone
                    back.append(job)
        if again:
            self._look = asyncio.get_running_loop().call_later(_LONG, self._take_back)
        # All together: who was admitted first is handed on first, whichever worker held it.
        if back:
            self._put_back(back)
            self._fill()
            self._arm_for_line()

    def _put_back(self, jobs: list[Job]) -> None:
        for job in jobs if self._limits_run else ():
            job.deadline = job.admitted + self._longest  # its run has not begun
        self._line.put_back(jobs)

    def _arm_for_line(self) -> None:
        self._arm_sooner(self._line.next_expiry())

    def forget(self, job: Job) -> None:
        """Drop a job whose client has gone; one that runs is let run, and nobody is told its answer."""
        if self._line.remove(job):
            self._note_idle()
            return
        for worker in self._workers:
            if job.id in worker.inflight:
                worker.cancel(job)

    def doubt(self, job: Job) -> None:
        """Let a job whose client may have gone wait behind the others."""
        self._line.doubt(job)

    # Workers

    def add(self, worker: WorkerProcess) -> None:
        """Take a worker that is ready."""
        self.expecting = True
        if not self._workers:
            self._line.wait_until(time.monotonic() + self._wait)
            self._arm_for_line()
        self._workers.append(worker)
        self._fill()

    def answered(self, worker: WorkerProcess, frames: list[Frame]) -> None:
        """Take frames that belong to jobs."""
        now = time.monotonic()
        jobs = worker.take(frames, now)
        # The worker is given its next requests before these answers are written, and runs them meanwhile.
        line = self._line
        if line.sure or line.unsure:
            self._fill()
        for job, frame in zip(jobs, frames, strict=True):
            if job is None:
                continue
            kind = frame.kind
            try:
                if kind == Kind.RESULT or kind == Kind.ERROR:
                    job.answered(frame, now)
                elif kind == Kind.SKIPPED:
                    self._skipped(job)
                else:
                    job.streamed(frame)
            except Exception as error:  # of this answer alone: the others that came with it reach their clients
                job.broken(error)
        if not worker.inflight and self._busy:
            self._note_idle()

    def _skipped(self, job: Job) -> None:
        """Let a job wait again that was begun just when it was taken back: it was not run."""
        if not job.gone:
            job.handed = 0.0
            self._put_back([job])
            self._fill()
            self._arm_for_line()

    def lost(self, worker: WorkerProcess, reason: str) -> None:
        """Answer for a worker that has died: what it had begun is refused, the rest goes to others."""
        # Out of the list first: an answer below may bring its connection's next request, which must not be given to it.
        if worker in self._workers:
            self._workers.remove(worker)
        begun, others = worker.unstarted()
        begun = [job for job in begun if job is not worker.timed_out]
        others = [job for job in others if job is not worker.timed_out and not job.gone]
        worker.inflight.clear()
        for job in list(others):
            if job.attempts >= _MOST_ATTEMPTS:
                others.remove(job)
                begun.append(job)
        self._put_back(others)
        if not self._workers and self.expecting:
            self._line.wait_until(math.inf)
        for job in begun:
            job.refused(
                Refusal(
                    worker.end_code,
                    f"The worker process that ran this request died: {reason}",
                    "a replacement is starting; the service's log has what the script wrote before",
                )
            )
        self._fill()
        self._note_idle()
        self._arm_for_line()

    def give_up(self) -> None:
        """Take the news that a worker could not be loaded: from now on requests wait as long as for a busy one."""
        self.expecting = False
        if not self._workers:
            self._line.wait_until(time.monotonic() + self._wait)
            self._arm_for_line()

    # Time

    def _arm_sooner(self, at: float | None) -> None:
        if at is not None and (self._timer is None or at < self._timer_at):
            self._arm(at)

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        # libuv counts in milliseconds: a timer that came early would find nothing due and be set again at once.
        delay = max(at - time.monotonic(), 0.0) + 0.001
        self._timer = asyncio.get_running_loop().call_later(delay, self._on_time)

    def _on_time(self) -> None:
        """Refuse what has waited too long; end what has run too long. Re-armed for the next such moment."""
        self._timer = None
        now = time.monotonic()
        for job in self._line.expired(now):
            job.refused(self._waited_too_long(now - job.admitted))
        soonest = self._line.next_expiry()
        for worker in list(self._workers):  # a copy: a worker that is ended leaves the list
            begun, behind = worker.unstarted()
            for job in begun:
                if job.deadline > now:
                    soonest = min(job.deadline, soonest or job.deadline)
                else:
                    self._end_stuck(worker, job)
                    break
            else:
                soonest = self._behind_on_time(worker, behind, bool(begun), now, soonest)
        self._note_idle()
        # A worker that was ended above may have brought jobs back to the line, and the timer was set for them alone.
        self._arm_sooner(soonest)

    def _behind_on_time(
        self, worker: WorkerProcess, jobs: list[Job], runs: bool, now: float, soonest: float | None
    ) -> float | None:
        """Refuse what a worker has not begun with in time; return when the next of it is due."""
        for job in jobs:
            if job.deadline <= now and not runs:
                # It takes nothing: it is stuck somewhere else than in run().
                self._end_stuck(worker, job)
                return soonest
            # Also where nobody waits any more: that it is not even skipped by then says that the worker is stuck.
            due = job.deadline if job.gone else min(job.wait_until, job.deadline)
            if due <= now and not job.gone:
                if worker.withdraw(job):
                    job.refused(self._waited_too_long(now - job.admitted))
                due = job.deadline
            if due > now:
                soonest = min(due, soonest or due)
        return soonest

    def _waited_too_long(self, seconds: float) -> Refusal:
        return Refusal(
            "queue_timeout",
            f"The request waited {seconds * 1000:.0f} ms for a worker and was not started",
            "ask again later; the limits are the settings max_request_wait_ms and scoring_timeout_ms",
        )

    def _end_stuck(self, worker: WorkerProcess, job: Job) -> None:
        # It is answered before the worker is ended, with its own reason: lost() would refuse it as one that was killed.
        worker.timed_out = job
        limit = self._serving.scoring_timeout_ms
        job.refused(
            Refusal(
                "scoring_timeout",
                f"Scoring timeout after {limit} ms",
                "run() did not return in time and its worker is being replaced; "
                "the limit is the setting scoring_timeout_ms",
            )
        )
        worker.kill(f"run() did not return within {limit} ms")

    # Draining

    def _note_idle(self) -> None:
        if self._busy and not self._line and not any(worker.inflight for worker in self._workers):
            self._busy = False
            self._idle.set()
            self._awake.rest(time.monotonic())

    async def wait_idle(self) -> None:
        """Return once every job has been answered."""
        await self._idle.wait()

    def refuse_waiting(self, refusal: Refusal) -> None:
        """Refuse everything that waits."""
        for job in self._line.drain():
            job.refused(refusal)
        self._note_idle()

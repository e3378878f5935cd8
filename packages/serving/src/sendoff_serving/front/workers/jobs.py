"""Requests as the worker pool sees them, and the line in which they wait."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ...errors import Refusal
from ...protocol import Frame


@dataclass(slots=True, eq=False)
class Job:
    """One call of run(), from admission to answer. What drives the pool makes a subclass of it.

    A job of this class itself tells nobody: it stands in a worker's list for one that was taken back from it, until the
    worker says that it has skipped it.

    Attributes:
        id: number of the request in this front; the id of its frames.
        chunks: pieces of the payload; size: their length together.
        request: JSON of the request's method, target and headers, where the script needs them.
        admitted: monotonic time of admission.
        deadline: monotonic time by which the answer must be there.
        wait_until: monotonic time by which a worker must have taken it.
        handed: monotonic time at which it was written to a worker; 0 while it waits.
        started: monotonic time at which its run began, by what the worker says of it and of those that ran before; 0
            until there is an answer. A worker holds several jobs and answers them together.
        attempts: how often it was handed to a worker.
        order: its number among all that were handed to that worker.
        gone: nobody waits for the answer any more.
        half_closed: the client may have gone; served after those that are surely there.
    """

    chunks: list[bytes]
    size: int
    request: bytes | None = None
    id: int = 0
    admitted: float = 0.0
    deadline: float = 0.0
    wait_until: float = 0.0
    handed: float = 0.0
    started: float = 0.0
    attempts: int = 0
    order: int = 0
    half_closed: bool = False
    gone: bool = False

    def answered(self, frame: Frame, now: float) -> None:
        """Take a RESULT or ERROR frame that came at a monotonic time."""

    def streamed(self, frame: Frame) -> None:
        """Take a CHUNK or END frame."""

    def refused(self, refusal: Refusal) -> None:
        """Take the news that there will be no answer."""

    def broken(self, error: Exception) -> None:
        """Take the news that the answer could not be passed on."""


class WaitingLine:
    """Jobs that wait for a worker, first come first served, bounded in number.

    Jobs whose client has closed its sending side, and so may be gone, stand in a second row that is served
    when the first is empty: 30 clients that hang up must not keep the next one waiting.

    Attributes:
        sure: the first row, by the jobs' ids; unsure: the second.
    """

    def __init__(self) -> None:
        self.sure: OrderedDict[int, Job] = OrderedDict()
        self.unsure: OrderedDict[int, Job] = OrderedDict()

    def __len__(self) -> int:
        return len(self.sure) + len(self.unsure)

    def add(self, job: Job) -> None:
        """Put a job at the end."""
        (self.unsure if job.half_closed else self.sure)[job.id] = job

    def put_back(self, jobs: list[Job]) -> None:
        """Put jobs that no worker has started back to where they stood: among the others by their admission."""
        for unsure in (False, True):
            back = [job for job in jobs if job.half_closed == unsure]
            if back:
                row = self.unsure if unsure else self.sure
                whole = sorted([*back, *row.values()], key=lambda job: job.admitted)
                row.clear()
                row.update((job.id, job) for job in whole)

    def take(self) -> Job | None:
        """Take the next job."""
        row = self.sure or self.unsure
        return row.popitem(last=False)[1] if row else None

    def remove(self, job: Job) -> bool:
        """Take a job out; False if it does not wait here."""
        return self.sure.pop(job.id, None) is not None or self.unsure.pop(job.id, None) is not None

    def doubt(self, job: Job) -> None:
        """Move a job whose client may be gone to the second row."""
        job.half_closed = True
        if self.sure.pop(job.id, None) is not None:
            self.unsure[job.id] = job

    def wait_until(self, end: float) -> None:
        """Let every job wait until a time, or until its deadline where that is sooner."""
        for row in (self.sure, self.unsure):
            for job in row.values():
                job.wait_until = min(end, job.deadline)

    def expired(self, now: float) -> list[Job]:
        """Take out every job that has waited too long."""
        found = []
        # Waits are equally long, so the oldest of the first row expire first; the second is in the order of doubts.
        while self.sure:
            job = next(iter(self.sure.values()))
            if job.wait_until > now:
                break
            self.sure.popitem(last=False)
            found.append(job)
        for job in list(self.unsure.values()):
            if job.wait_until <= now:
                del self.unsure[job.id]
                found.append(job)
        return found

    def next_expiry(self) -> float | None:
        """When the next job will have waited too long, in monotonic seconds."""
        waits = [job.wait_until for job in self.unsure.values()]
        if self.sure:
            waits.append(next(iter(self.sure.values())).wait_until)
        return min(waits, default=None)

    def drain(self) -> list[Job]:
        """Take every job out."""
        jobs = [*self.sure.values(), *self.unsure.values()]
        self.sure.clear()
        self.unsure.clear()
        return jobs

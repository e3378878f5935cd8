"""One generation: the workers of one revision, from their start to the last answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ...bundle import Bundle
from ...errors import Refusal, ServingError
from ...log import ServerLog
from ...protocol import Frame
from .dispatch import Dispatcher
from .forked import ForkedWorker
from .launch import Launch
from .output_lines import lines_of
from .process import WorkerProcess
from .reasons import model_tree
from .resources import resident_mb

if TYPE_CHECKING:
    from ..telemetry.spans import Telemetry

Phase = Literal["starting", "init", "ready", "failed", "draining", "ended"]

# Waits before a worker is started again after init() has failed in a replacement, in seconds. The script was loaded
# once, so the reason may pass (a store that is away): tried soon at first, and later not so often that it takes the
# machine.
_BACK_OFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass(eq=False)
class _Slot:
    """A place for one worker; its process may be replaced."""

    process: WorkerProcess | None = None
    restarts: int = 0
    failures: int = 0
    requests_before: int = 0
    replaces: _Slot | None = None
    # The process whose memory was measured when it was ready, and that memory in MB.
    fresh: tuple[WorkerProcess, float] | None = None
    # Workers that were started together are not replaced together.
    jitter: float = field(default_factory=lambda: random.uniform(0.9, 1.1))

    @property
    def requests(self) -> int:
        return self.requests_before + (self.process.requests if self.process else 0)


class WorkerCounter(Protocol):
    """Counts what workers do, over the life of each."""

    def count(self, worker: WorkerProcess) -> None:
        """Count what a worker does from now on."""

    def uncount(self, worker: WorkerProcess) -> None:
        """Keep the counts of a worker that ends."""

    def replaced(self) -> None:
        """Count a worker that died or was ended, and is replaced."""

    def model_noted(self, worker: WorkerProcess, note: Mapping[str, object]) -> None:
        """Count a model that a worker has loaded or unloaded by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """The server as its generations know it.

    Attributes:
        log: its log.
        request_name: gives the request id that users know for the id of a frame.
        counter: where replaced workers are counted.
        on_change: called when the phase of a generation has changed.
        compatible: make documents and log lines as the existing server does.
        telemetry: returns what is told to a collector now; None while nothing is.
    """

    log: ServerLog
    request_name: Callable[[int], str]
    counter: WorkerCounter
    on_change: Callable[[Generation], None]
    compatible: bool
    telemetry: Callable[[], Telemetry | None]


class Generation:
    """The workers of one revision and the requests they are given. Scoring makes a subclass of it.

    Args:
        bundle: what they serve.
        launch: how they are started.
        revision: name of the revision, for status and log.
        owner: the server.
    """

    def __init__(self, bundle: Bundle, launch: Launch, revision: str | None, owner: Owner) -> None:
        self.bundle = bundle
        self.launch = launch
        self.revision = revision
        self.phase: Phase = "starting"
        self.error: dict[str, Any] | None = None
        self.description: dict[str, Any] = {}
        self.dispatcher = Dispatcher(bundle.serving, limits_run=owner.compatible)
        self._owner = owner
        self._log = owner.log
        self._slots = [_Slot() for _ in range(bundle.serving.workers)]
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: set[WorkerProcess] = set()
        self._template: WorkerProcess | None = None
        self._template_failures = 0

    # Life

    def start(self) -> None:
        """Start every worker, or the template that they are forked from."""
        if self.bundle.serving.preload:
            self._run(self._start_template(0.0))
        else:
            for slot in self._slots:
                self._run(self._start_worker(slot, 0.0))

    async def _start_template(self, delay: float) -> None:
        await asyncio.sleep(delay)
        if self.phase in ("failed", "ended"):
            return
        settings = {**self.launch.settings, "template": True}
        self._template = WorkerProcess(replace(self.launch, settings=settings), self)
        try:
            await self._template.start()
        except (ServingError, OSError) as error:
            self._template = None
            self._not_loaded(None, {"code": "worker_not_started", "message": str(error)})

    def _run(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start_worker(self, slot: _Slot, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        # The wait may have outlived the generation; and a template that was ready meanwhile has filled every slot.
        if self.phase in ("failed", "ended") or slot.process is not None:
            return
        process: WorkerProcess
        if not self.bundle.serving.preload:
            process = WorkerProcess(self.launch, self)
        elif self._template is not None and self._template.state == "idle":
            process = ForkedWorker(self.launch, self, self._template)
        else:
            return  # the template is being replaced; workers are forked when it is ready
        slot.process = process  # before it starts: what it sends, and its end, may come while start() waits
        try:
            await process.start()
        except (ServingError, OSError) as error:
            slot.process = None
            hint = error.hint if isinstance(error, ServingError) else None
            code = error.code if isinstance(error, ServingError) else "worker_not_started"
            self._not_loaded(slot, {"code": code, "message": str(error), "hint": hint})

    @property
    def has_worker(self) -> bool:
        """Whether a worker can take requests now."""
        return any(slot.process is not None and slot.process.capacity for slot in self._slots)

    @property
    def ready(self) -> bool:
        """Whether scoring is possible: loaded, and not ended. While a dead worker is replaced, requests wait."""
        return self.phase in ("ready", "draining")

    async def drain(self, seconds: float) -> None:
        """Finish what is admitted, for at most some seconds, then end the workers."""
        if self.phase in ("failed", "ended"):
            await self.end()
            return
        self._change("draining")
        try:
            await asyncio.wait_for(self.dispatcher.wait_idle(), seconds)
        except TimeoutError:
            self._log.warning(f"Draining took longer than {seconds:g} s; the requests that remain are refused")
            self.dispatcher.refuse_waiting(Refusal("draining", "The server is stopping"))
        await self.end()

    async def end(self) -> None:
        """End the workers and wait until their processes are gone."""
        if self.phase != "failed":
            self._change("ended")
        processes = [slot.process for slot in self._slots if slot.process is not None]
        template, self._template = self._template, None
        # An idle worker sees its closed socket and leaves in Python's own way; one in run() does not look at it.
        for process in processes:
            if process.inflight:
                process.kill("the server is stopping", "draining")
            else:
                process.close()
        if template is not None:  # after its children, which it waits for
            template.close()
            processes.append(template)
        for _ in range(400):
            if all(process.exited for process in [*processes, *self._leaving]):
                break
            await asyncio.sleep(0.01)
        for process in processes:
            if not process.exited:
                process.kill("the server is stopping")

    def _change(self, phase: Phase) -> None:
        if self.phase != phase:
            self.phase = phase
            self._owner.on_change(self)

    # What a worker tells its owner

    def worker_described(self, worker: WorkerProcess, description: dict[str, Any]) -> None:
        """The script is loaded and init() is about to be called."""
        if self.phase == "starting":
            logger = self._logger("azmlinfsrv.user_script")
            if self._owner.compatible:
                self._log.info(f"Found user script at {self.bundle.entry_script_path or 'main.py'}", logger)
            said = _SHAPES[description["shape"]].format(", ".join(description["parameters"]))
            self._log.info(said.replace("full request", "flask request") if self._owner.compatible else said, logger)
            self._log.info("Invoking user's init function", logger)
            self._change("init")

    def worker_ready(self, worker: WorkerProcess, description: dict[str, Any]) -> None:
        """init() has returned."""
        if worker is self._template and self.phase not in ("failed", "ended"):
            self._log.write("I", "sendoff", f"Process with pid {worker.pid} is loaded; forking workers", worker.pid)
            self._template_failures = 0
            for slot in self._slots:
                self._run(self._start_worker(slot, 0.0))
            return
        found = self._slot_of(worker)
        if found is None or self.phase in ("failed", "ended"):
            worker.close()  # given up while it loaded, as when another's init() has failed
            return
        found.failures = 0
        seconds = time.monotonic() - worker.started
        if self.phase in ("starting", "init") and not self.description:
            owner = "Users's" if self._owner.compatible else "User's"  # so the existing server spells it
            self._log.info(f"{owner} init has completed successfully", self._logger("azmlinfsrv.user_script"))
            self.described(description)
        ready = "for serving traffic" if self._owner.compatible else f"after {seconds:.2f} s"
        self._log.write("I", "sendoff", f"Worker with pid {worker.pid} ready {ready}", worker.pid)
        self._owner.counter.count(worker)
        # The new one takes requests before the old one takes no more: none waits for a replacement.
        self.dispatcher.add(worker)
        self._take_over(found)
        # A revision takes over with all its workers: the first alone would get the traffic of all those before it.
        if self.phase in ("starting", "init") and all(
            slot.process is not None and slot.process.capacity for slot in self._slots
        ):
            self._change("ready")

    def described(self, description: dict[str, Any]) -> None:
        """Take what the first worker says of the script when init() has returned."""
        self.description = description

    def _logger(self, existing: str) -> str:
        return existing if self._owner.compatible else "sendoff"

    def worker_failed(self, worker: WorkerProcess, error: dict[str, Any]) -> None:
        """The script cannot be served; the process is ending."""
        slot = self._slot_of(worker)
        self._leaving.add(worker)
        if slot is not None:
            slot.process = None
            self._not_loaded(slot, error, worker.pid)
        elif worker is self._template:
            self._template = None
            self._not_loaded(None, error, worker.pid)

    def _not_loaded(self, slot: _Slot | None, error: dict[str, Any], pid: int = 0) -> None:
        text = error.get("traceback") or error["message"]
        self._log.write("E", "sendoff", f"{error['message']}\nEncountered Exception: {text}", pid)
        if (telemetry := self._owner.telemetry()) is not None:
            telemetry.not_loaded(self.revision, error, pid)
        if error.get("hint"):
            self._log.write("E", "sendoff", f"Hint: {error['hint']}", pid)
        if self.phase in ("starting", "init"):
            if error["code"] == "init_failed" and self.bundle.model_dir:
                self._log.error(model_tree(self.bundle.model_dir, self.bundle.app_root))
            self.error = {name: error.get(name) for name in ("code", "message", "traceback", "file", "line", "hint")}
            self._change("failed")
            for other in self._slots:  # they run the same script
                if other.process is not None:
                    other.process.close()
            if self._template is not None:
                self._template.close()
        elif self.phase in ("ready", "draining"):
            self.dispatcher.give_up()
            failures = self._template_failures = self._template_failures + 1
            if slot is not None:
                failures = slot.failures = slot.failures + 1
            delay = _BACK_OFF[min(failures, len(_BACK_OFF) - 1)]
            self._log.error(f"The replacement of a worker could not be loaded; it is tried again in {delay:g} s")
            self._run(self._start_template(delay) if slot is None else self._start_worker(slot, delay))

    def worker_noted(self, worker: WorkerProcess, note: dict[str, Any]) -> None:
        """Something to count."""
        if note.get("note") == "model":
            self._owner.counter.model_noted(worker, note)

    def worker_collected(self, worker: WorkerProcess, frame: Frame) -> None:
        """Rows of a data collector of the script; nothing here takes them."""

    def child_ended(self, template: WorkerProcess, pid: int, returncode: int) -> None:
        """A worker forked from a template has ended."""
        for process in [*(slot.process for slot in self._slots), *self._leaving]:
            if isinstance(process, ForkedWorker) and process.pid == pid:
                process.ended(returncode)
                return

    def _template_died(self, worker: WorkerProcess, reason: str) -> None:
        self._template = None
        if self.phase in ("starting", "init"):
            message = f"The worker process died while it loaded the script: {reason}"
            self._not_loaded(None, {"code": "worker_died_in_init", "message": message}, worker.pid)
        elif self.phase == "ready":
            self._log.write("E", "sendoff", f"The process that workers are forked from died: {reason}", worker.pid)
            # Nobody else can be told of their end (child_ended), and none like them can be forked any more.
            for slot in self._slots:
                if slot.process is not None:
                    slot.process.kill("the process that it was forked from died")
            self._template_failures += 1
            self._run(self._start_template(_BACK_OFF[min(self._template_failures - 1, len(_BACK_OFF) - 1)]))

    def worker_answered(self, worker: WorkerProcess, frames: list[Frame]) -> None:
        """Frames that belong to requests, in the order in which they came."""
        self.dispatcher.answered(worker, frames)

    def worker_said(self, worker: WorkerProcess, stream: str, text: str, request_id: int, piped: bool) -> None:
        """Lines that the script wrote; piped if its process wrote them by itself, not through Python's output."""
        level = stream[4:] if stream.startswith("log:") else "I"
        logger = "sendoff.logging" if stream.startswith("log:") else f"sendoff.{stream}"
        name = self._owner.request_name(request_id)
        text = lines_of(text) if "\r" in text else text
        if (telemetry := self._owner.telemetry()) is not None:
            telemetry.said(self.revision, level, stream, text, worker.pid, request_id)
        if piped and self._log.raw:
            self._log.announce(text)
            return
        for line in text.split("\n"):
            self._log.write(level, logger, line, worker.pid, name)

    def worker_died(self, worker: WorkerProcess, reason: str) -> None:
        """The process has ended, or is as good as ended."""
        self._owner.counter.uncount(worker)
        self._leaving.discard(worker)
        if worker is self._template:
            self._template_died(worker, reason)
            return
        slot = self._slot_of(worker)
        self.dispatcher.lost(worker, reason)  # also for one that retires: it has no slot, and may have requests
        if slot is None:
            return
        slot.requests_before += worker.requests
        slot.process = None
        if self.phase in ("failed", "ended"):
            return
        # A forked worker is no child of ours: the template tells that a pid has gone, which is looked up there.
        self._leaving = {other for other in self._leaving if not other.exited}
        if not worker.exited:
            self._leaving.add(worker)
        if self.phase in ("starting", "init"):
            message = f"The worker process died while it loaded the script: {reason}"
            self._not_loaded(slot, {"code": "worker_died_in_init", "message": message}, worker.pid)
            return
        if worker.ending and worker.end_reason is None and self.phase == "draining":
            return
        text = f"Worker with pid {worker.pid} died: {reason}; starting another"
        self._log.write("E", "sendoff", text, worker.pid)
        if (telemetry := self._owner.telemetry()) is not None:
            telemetry.note(self.revision, "E", text, worker.pid)
        slot.restarts += 1
        self._owner.counter.replaced()
        # A worker that dies soon after it was started again and again must not take the machine with it.
        slot.failures = slot.failures + 1 if time.monotonic() - worker.started < 1.0 else 0
        self._run(self._start_worker(slot, _BACK_OFF[min(slot.failures, len(_BACK_OFF) - 1)]))

    def _slot_of(self, worker: WorkerProcess) -> _Slot | None:
        return next((slot for slot in self._slots if slot.process is worker), None)

    # Looking after

    def check_workers(self) -> None:
        """Replace workers that use too much memory or have served long enough; called about once a second."""
        self._check_memory()  # the hard limit holds in every phase
        if self.phase != "ready" or any(slot.replaces for slot in self._slots):
            return  # one at a time: the others serve meanwhile
        for slot in self._slots:
            reason = self._worn(slot)
            if reason is not None:
                self._log.info(f"{reason}; replacing it")
                replacement = _Slot(replaces=slot)
                self._slots.append(replacement)
                self._run(self._start_worker(replacement, 0.0))
                return

    def _worn(self, slot: _Slot) -> str | None:
        """Say why a worker should be replaced when it has a moment; None if it should not."""
        process, serving = slot.process, self.bundle.serving
        if process is None or not process.capacity or not process.pid:
            return None
        name = f"Worker with pid {process.pid}"
        most = serving.max_requests_per_worker
        if most is not None and process.requests >= most * slot.jitter:
            return f"{name} has served {process.requests} requests"
        if serving.recycle_memory_mb is None or (used := resident_mb(process.pid)) is None:
            return None
        most_mb = serving.recycle_memory_mb * slot.jitter
        # What a model needs from the start is not wear: a worker over the setting by that would be replaced for ever.
        if slot.fresh is None or slot.fresh[0] is not process:
            slot.fresh = (process, used)
            if used > most_mb:
                self._log.warning(
                    f"{name} uses {used:.0f} MB before its first requests, which is over the setting recycle_memory_mb "
                    f"({serving.recycle_memory_mb}); it is not replaced for that"
                )
        if used > most_mb and slot.fresh[1] <= most_mb:
            return f"{name} has grown from {slot.fresh[1]:.0f} to {used:.0f} MB"
        return None

    def _take_over(self, slot: _Slot) -> None:
        """Let the worker that another one replaces finish and end."""
        old, slot.replaces = slot.replaces, None
        if old is not None and old in self._slots:
            self._slots.remove(old)
            slot.requests_before += old.requests
            if old.process is not None:
                self._leaving.add(old.process)
                old.process.retire()

    def _check_memory(self) -> None:
        limit = self.bundle.serving.memory_limit_mb
        if limit is None:
            return
        for slot in self._slots:
            process = slot.process
            if process is not None and process.pid and not process.ending:
                used = resident_mb(process.pid)
                if used is not None and used > limit:
                    process.kill(f"it used {used:.0f} MB of memory, over the limit of {limit} MB", "worker_over_memory")

    def status(self) -> dict[str, Any]:
        """Describe this generation as JSON values."""
        workers = []
        for slot in self._slots:
            process = slot.process
            used = resident_mb(process.pid) if process is not None and process.pid else None
            workers.append(
                {
                    "pid": process.pid if process is not None else None,
                    "state": process.state if process is not None else "dead",
                    "restarts": slot.restarts,
                    "requests": slot.requests,
                    "rss_mb": None if used is None else round(used, 1),
                }
            )
        return {
            "revision": self.revision,
            "bundle": None if self.bundle.directory is None else str(self.bundle.directory),
            "python": self.launch.python,
            "memory_limit_mb": self.bundle.serving.memory_limit_mb,
            "phase": self.phase,
            "error": self.error,
            "workers": workers,
            "waiting": self.dispatcher.waiting,
            "running": self.dispatcher.running,
            "requests_total": sum(slot.requests for slot in self._slots),
        }


_SHAPES = {
    "string": "run() is not decorated. Server will invoke it with the input in JSON string.",
    "raw": "run() is decorated with @rawhttp. Server will invoke it with the full request object.",
    "schema": "run() is decorated with @input_schema. Server will invoke it with the following arguments: {}.",
}

"""What a runner does for a profile; each step may be done again, and no size is measured twice."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
from sqlalchemy import select, update

from ..code.bundles import make_bundle
from ..code.model_versions import stated_versions
from ..code.try_imports import FirstImport
from ..errors import NotFound, SendoffError, Timeout
from ..operations.operation_rows import AnyRow
from ..operations.timeline import Timeline, say
from ..operations.work import Outcome, Work
from ..progress import Progress, silent
from ..spec.bundle import ServingSettings
from ..spec.environment import EnvironmentSpec, Lock
from ..spec.imports import Import, NotImported
from ..spec.model import UpdateModel
from ..spec.parse import replace, to_builtins
from ..spec.profile import DEFAULT_CPU, DEFAULT_MEMORY, ProfileResult, Recommendation, Size, details_of
from ..store.tables import profiles
from ..targets.base import INTERPRETER, Artefact, Observation, Preparation, Wanted, observe_one
from ..targets.failures import failure, speaks_of
from ..targets.meter import Measured, Meter
from .generator import Generator, write_bodies
from .measure import Measurement, words
from .profiles import ProfileRequest, request_bodies, result_of, view
from .sizes import Asked, plan_sizes, recommend

if TYPE_CHECKING:
    from ..rooms import Rooms

READY_SECONDS = 1800.0
BUDGET_SECONDS = 75.0
"""Once so much time went into measuring, no further size is begun."""
TRIES = 3
_MARK = ".bundle"


class ProfileSteps(Work):
    """Steps of a profile's operation; what was measured stays with the profile, however it ends."""

    def __init__(self, rooms: Rooms, row: AnyRow, timeline: Timeline) -> None:
        self._rooms, self._row, self._timeline = rooms, row, timeline
        self._store = rooms.store
        with self._store.read() as connection:
            found = connection.execute(select(profiles).where(profiles.c.id == row.id)).first()
        if found is None:
            raise NotFound(f"there is no profile {row.id!r} any more")
        self._wanted = msgspec.convert(found.request, ProfileRequest)
        self._result: ProfileResult | None = result_of(found)
        self._uid: str = row.uid
        self._target = rooms.target(self._wanted.target)
        self._able = self._target.capabilities()
        self._folder = self._store.home / "staging" / self._uid
        self._log: list[str] = []

    def do(self, name: str) -> Outcome:
        """Do one step by its name."""
        steps: dict[str, Callable[[], Outcome]] = {
            "validate": self._validate,
            "environment": self._environment,
            "image": self._image,
            "measure": self._measure,
            "recommend": self._recommend,
        }
        return steps[name]()

    def last_log(self) -> list[str]:
        """The newest lines that the measured service wrote."""
        try:
            return self._target.logs(self._uid, 60).splitlines() or self._log
        except SendoffError:
            return self._log

    def take_down(self) -> None:
        """End the measured service and remove what it needed."""
        try:
            self._target.remove(self._uid)
        finally:
            # Also those of a runner that was killed: nobody else has a bundle with this profile's name in it.
            for mark in self._folder.glob(f"*{_MARK}"):
                shutil.rmtree(self._store.home / "bundles" / mark.stem, ignore_errors=True)
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _spec(self) -> EnvironmentSpec:
        return self._wanted.inference.environment

    def _validate(self) -> Outcome:
        self._target.check(self._service())
        for model in self._wanted.models:
            self._rooms.registry.get(self._row.workspace, model)
        bodies = request_bodies(self._rooms, self._row.workspace, self._wanted.body)
        script = self._wanted.inference.source.entry_script
        return "Validated", f"{script} with {', '.join(self._wanted.models) or 'no model'}, {len(bodies)} requests", []

    def _environment(self) -> Outcome:
        said: list[str] = []
        progress = self._timeline.progress("environment", "ResolvingEnvironment", said)
        lock = self._lock(progress)
        if self._able.artefact != INTERPRETER:
            return "EnvironmentReady", f"Python {lock.python_version}, {len(lock.pins())} packages locked", said
        artefact = self._importing(lock, progress)
        return "EnvironmentReady", artefact.summary, said

    def _image(self) -> Outcome:
        said: list[str] = []
        progress = self._timeline.progress("image", "BuildingImage", said)
        artefact = self._importing(self._lock(progress), progress)
        return "ImageReady", artefact.summary.partition(",")[0], said

    def _measure(self) -> Outcome:
        body = self._wanted.body
        cores = host_cores()
        memory = host_memory_gb()
        result = self._result or ProfileResult(
            target=self._wanted.target,
            limits_kept=self._able.cpu_limit,
            host_cpus=len(cores),
            host_memory_gb=memory,
            bodies=0,
            body_bytes=0.0,
            requested_cpu=body.cpu or DEFAULT_CPU,
            requested_memory_gb=body.memory_in_gb or DEFAULT_MEMORY,
            environment=self._wanted.environment,
        )
        self._say_bounds(result)
        bodies = request_bodies(self._rooms, self._row.workspace, body)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_bodies(self._folder / "bodies", bodies)
        mean = sum(len(one) for one, _ in bodies) / len(bodies)
        self._keep(replace(result, bodies=len(bodies), body_bytes=round(mean, 1)))
        plan = plan_sizes(min(result.requested_cpu, float(len(cores))), limits=result.limits_kept)
        plan = plan[len(result.sizes) :]
        began = time.monotonic()
        running: tuple[int, float, float, float] | None = None  # workers, start, first answer, memory before
        try:
            for number, asked in enumerate(plan):
                if number and time.monotonic() - began > BUDGET_SECONDS:
                    left = "; ".join(words(one) for one in plan[number:])
                    self._timeline.note([f"Not measured, since requests are slow: {left}."])
                    break
                if running is None or running[0] != asked.workers:
                    running = self._start(asked.workers, len(bodies))
                size = self._one_size(asked, running)
                assert self._result is not None
                self._keep(replace(self._result, sizes=[*self._result.sizes, size]))
            self._settle_on(running)
        finally:
            self._log = self.last_log()
            self.take_down()
        assert self._result is not None
        sizes = self._result.sizes
        total = sum(level.requests for size in sizes for level in size.levels)
        return "Measured", f"{len(sizes)} sizes, {total} requests", []

    def _recommend(self) -> Outcome:
        assert self._result is not None and self._result.recommendation is not None
        found = self._result.recommendation
        self._tag_models()
        return (
            "Recommended",
            f"{found.cpu:g} CPU, {found.memory_gb:g} GB, {found.workers} workers, {found.concurrency} at once",
            list(found.reasons),
        )

    def _one_size(self, asked: Asked, running: tuple[int, float, float, float]) -> Size:
        _, started, first, idle = running
        memory = self._wanted.body.memory_in_gb
        with self._load(asked.cpu, memory) as (measurement, shared):
            size = measurement.size(asked, memory_gb=memory, started=started, first_ms=first, idle_mb=idle)
        return replace(size, note="load and service shared the cores") if shared else size

    def _settle_on(self, running: tuple[int, float, float, float] | None) -> None:
        """Recommend; where limits are kept, try it with exactly these limits first."""
        assert self._result is not None
        found = recommend(self._result.sizes, limits=self._result.limits_kept)
        if self._result.limits_kept:
            if running is None or running[0] != found.workers:
                self._start(found.workers, self._result.bodies)
            found = self._tried(found)
        self._keep(replace(self._result, recommendation=found))

    def _tried(self, found: Recommendation) -> Recommendation:
        for _ in range(TRIES):
            self._tell(f"trying {found.cpu:g} CPU and {found.memory_gb:g} GB")
            with self._load(found.cpu, found.memory_gb) as (measurement, _shared):
                level = measurement.level(found.concurrency)
                if not level.errors and not self._meter.out_of_memory():
                    said = f"tried with these limits: {level.requests} requests, none failed"
                    return replace(found, reasons=[*found.reasons, said])
            found = replace(found, memory_gb=round(found.memory_gb * 1.5 + 0.05, 1))
            self._start(found.workers, 1)
        said = "with these limits some requests failed; nothing larger was found to be enough"
        return replace(found, reasons=[*found.reasons, said])

    @contextmanager
    def _load(self, cpu: float | None, memory_gb: float | None) -> Iterator[tuple[Measurement, bool]]:
        """Limits in force and a generator kept on one core; and whether the service needs that core too."""
        cores = host_cores()
        spare = len(cores) > 1 and (cpu or 1.0) <= len(cores) - 1
        memory = None if memory_gb is None else memory_gb * 1024
        self._meter.limit(cpu, memory)
        with Generator(self._address, self._folder / "bodies", cores[-1] if len(cores) > 1 else None) as generator:
            yield Measurement(generator, self._meter, self._timeline.stop_if_cancelled, self._tell), not spare

    def _start(self, workers: int, bodies: int) -> tuple[int, float, float, float]:
        """Start the service anew, without any limit until it is ready; then the very first answers."""
        self._tell(f"starting with {workers} worker{'s' if workers > 1 else ''}")
        self._target.remove(self._uid)
        lock = self._lock(silent)
        bundle = self._bundle(lock, workers)
        began = time.monotonic()
        self._target.apply(self._service(lock, bundle))
        observed = self._wait_ready()
        took = time.monotonic() - began
        self._address = f"{observed.base_url}/score"
        self._meter: Meter = cast(Measured, self._target).meter(self._uid)
        idle = self._meter.usage().memory_mb
        with Generator(self._address, self._folder / "bodies") as generator:
            measurement = Measurement(generator, self._meter, self._timeline.stop_if_cancelled, self._tell)
            first = measurement.probe(bodies, self.last_log)
        return workers, took, first, idle

    def _wait_ready(self) -> Observation:
        began, pause = time.monotonic(), 0.02
        while True:
            observed = observe_one(self._target, self._uid)
            phase, error = speaks_of(observed, 1)
            if phase == "ready":
                return observed
            if phase == "failed":
                raise failure(error, "the service to be measured failed to start")
            if time.monotonic() - began > READY_SECONDS:
                raise Timeout(f"the service was not ready after {READY_SECONDS:.0f} seconds")
            self._timeline.stop_if_cancelled()
            time.sleep(pause)
            pause = min(pause * 1.25, 0.25)

    def _service(self, lock: Lock | None = None, bundle: Path | None = None) -> Wanted:
        return Wanted(
            uid=self._uid,
            name="profile",
            workspace=self._row.workspace,
            revision=1,
            bundle="" if bundle is None else bundle.name,
            artefact=None if lock is None else self._prepared(lock, bundle, silent),
            drain_seconds=1.0,
        )

    def _importing(self, lock: Lock, progress: Progress) -> Artefact:
        """What the measured code runs in, and in which its imports work; the lock with which they do is kept."""

        def make(lock: Lock, imports: list[Import]) -> tuple[Artefact, list[NotImported]]:
            bundle = None if self._able.artefact == INTERPRETER else self._bundle(lock, 1)
            made = self._prepared(lock, bundle, progress, imports)
            return made, made.not_imported

        first = FirstImport(self._rooms, self._wanted.inference, self._wanted.models, self._row.workspace)
        _, artefact, notes = first.working(lock, make, progress)
        self._timeline.note([*notes, *artefact.notes])
        return artefact

    def _prepared(
        self, lock: Lock, bundle: Path | None, progress: Progress, imports: Sequence[Import] = ()
    ) -> Artefact:
        """What the measured code runs in."""
        preparation = Preparation(
            uid=self._uid,
            name="profile",
            workspace=self._row.workspace,
            environment=self._spec,
            lock=lock,
            bundle="" if bundle is None else bundle.name,
            imports=imports,
        )
        return self._target.prepare(preparation, self._rooms.makers, progress)

    def _bundle(self, lock: Lock, workers: int) -> Path:
        folder = make_bundle(
            self._rooms,
            self._row.workspace,
            service=self._uid,
            models=self._wanted.models,
            code=self._wanted.inference,
            environment=self._wanted.environment,
            lock_digest=lock.digest,
            serving=ServingSettings(workers=workers),
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{folder.name}{_MARK}").touch()
        return folder

    def _lock(self, progress: Progress) -> Lock:
        stated = stated_versions(self._rooms, self._row.workspace, self._wanted.models)
        image = self._able.artefact != INTERPRETER
        return self._rooms.environments.resolve(self._spec, progress, image=image, stated=stated)

    def _say_bounds(self, result: ProfileResult) -> None:
        notes = []
        if self._wanted.body.cpu is not None and result.requested_cpu > result.host_cpus:
            notes.append(f"Asked for {result.requested_cpu:g} CPUs; this machine has {result.host_cpus}.")
        if self._wanted.body.memory_in_gb is not None and result.requested_memory_gb > result.host_memory_gb:
            notes.append(f"Asked for {result.requested_memory_gb:g} GB; this machine has {result.host_memory_gb:g}.")
        busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        if busy > result.host_cpus:
            notes.append(
                f"This machine is busy (load {busy:.1f} on {result.host_cpus} cores): rates and times are worse than "
                "on a quiet one."
            )
        if not result.limits_kept:
            notes.append(f"The {result.target} target limits neither CPU nor memory: what was used is measured.")
        self._timeline.note(notes)

    def _tag_models(self) -> None:
        tags = self._wanted.body.add_tags
        if not tags:
            return
        with self._store.read() as connection:
            row = connection.execute(select(profiles).where(profiles.c.id == self._row.id)).one()
            details = details_of(view(connection, row))
        values = {name: str(details.get(name, "")) if value is None else value for name, value in tags.items()}
        for model in self._wanted.models:
            self._rooms.registry.update(self._row.workspace, model, UpdateModel(add_tags=values))

    def _keep(self, result: ProfileResult) -> None:
        self._result = result
        with self._store.begin() as connection:
            connection.execute(update(profiles).where(profiles.c.id == self._row.id).values(result=to_builtins(result)))

    def _tell(self, line: str) -> None:
        say(f"measure: {line}")
        self._timeline.tell("measure", "Measuring", line, every=0.2)


def host_cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def host_memory_gb() -> float:
    """What this machine has, GiB."""
    import psutil

    return round(psutil.virtual_memory().total / 2**30, 1)

"""The worker's life: connect, load the script, init() once, then run() for each request, in one thread."""

import gc
import json
import os
import sys
import threading
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple

from sendoff_serving import existing_logging, protocol
from sendoff_serving.page import Page
from sendoff_serving.protocol import Buffer, Frame, Kind, ResultFlag, RunFlag
from sendoff_serving.room import Room, place_of

from . import debugging, failure, modules, script
from .answer import Answer, Refusal, fault
from .batching import Batch, Batcher, Joined
from .channel import Channel
from .collection import collection
from .coroutines import awaited
from .http_response import to_bytes
from .invoke import Invoker
from .output import Output
from .parent import die_with
from .template import Template

# Answers of frames that came together are sent together, but none waits longer than this for the others.
_HOLD = 0.002
# Held answers are sent by then even if the run() that follows them does not come back.
_LATE = 0.01
_END = object()


def _page(descriptor: int) -> Page:
    page = Page(descriptor)
    os.close(descriptor)  # the mapping stays, and no script can close it with "all" descriptors
    return page


def work(socket_descriptor: int, page_descriptor: int) -> int:
    """Serve one front until it closes the socket; returns the exit status of the process.

    Args:
        socket_descriptor: the connected Unix socket.
        page_descriptor: the file of the ``Page``.
    """
    channel = Channel(socket_descriptor)
    page = _page(page_descriptor)
    _greet(channel)
    settings = _settings(channel)
    if settings is None:
        return 0
    collection.attach(channel, settings.get("collect"))
    # Before the script: what its import prints belongs to the service's log too.
    output = Output(channel)
    if settings.get("logging"):  # before standard output is taken over: its handlers write finished lines
        existing_logging.configure(settings["logging"])
    output.take_over(settings.get("log_level", "INFO"))
    loaded = _load(channel, settings)
    output.finish_lines()
    if loaded is None:
        return 3
    invoker, description = loaded
    channel.send_json(Kind.READY, description)
    if not settings.get("template"):
        return _answer(channel, page, settings, invoker, output)

    def forked(socket_descriptor: int, page_descriptor: int) -> int:
        die_with(os.getppid())  # a fork does not inherit it, and the parent is the template now
        channel.rebind(socket_descriptor)
        page = _page(page_descriptor)
        _greet(channel)
        channel.send_json(Kind.READY, description)
        return _answer(channel, page, settings, invoker, output)

    return Template(channel).run(forked)


def _answer(channel: Channel, page: Page, settings: Dict[str, Any], invoker: Invoker, output: Output) -> int:
    """Answer requests until the front closes the socket."""
    loop = _Loop(channel, page, invoker, output)
    if invoker.models is not None:

        def counted(event: str, key: Tuple[str, str], seconds: float) -> None:
            note = {"note": "model", "event": event, "name": key[0], "version": key[1], "seconds": seconds}
            channel.send_json(Kind.NOTE, note)

        invoker.models.noted = counted
    max_rows = settings.get("max_batch_rows")
    if max_rows:
        batcher = Batcher(invoker, max_rows, settings.get("max_wait_ms", 0) / 1000.0)
        loop.run_batches(batcher)
    else:
        loop.run()
    return 0


def _greet(channel: Channel) -> None:
    content = {"protocol": [protocol.VERSION], "pid": os.getpid(), "python": sys.version.split()[0]}
    channel.send_json(Kind.HELLO, content)


def _settings(channel: Channel) -> Optional[Dict[str, Any]]:
    frames = channel.receive()
    if frames is None:
        return None
    settings: Dict[str, Any] = json.loads(frames[0].bodies[0].decode("utf-8"))
    protocol.common_version(settings.get("protocol"))
    return settings


def _load(channel: Channel, settings: Dict[str, Any]) -> Optional[Tuple[Invoker, Dict[str, Any]]]:
    """Load the script and call init(); return how to call it and its description, or say FAILED."""
    folders = [folder for folder in (settings["app_root"], settings.get("source_directory")) if folder]
    path = settings.get("entry_script")
    if path:
        folders.append(os.path.dirname(path))
    modules.lay_path(folders)
    if os.environ.get("AZUREML_DEBUG_PORT") and not debugging.connect(os.environ["AZUREML_DEBUG_PORT"]):
        channel.send_json(Kind.FAILED, {"code": "debugger_missing", "message": debugging.MISSING})
        return None
    modules.install_moved_packages()
    code, reason = "script_failed", "The score script cannot be loaded"
    try:
        module = script.load(path) if path else script.load_main()
        entry = script.EntryScript(module)
        channel.log("phase", json.dumps(dict(entry.description(), schema=None)))
        code, reason = "init_failed", "User's init function failed"
        awaited(entry.init())
        description = entry.description(initialised=True)
    except script.ScriptError as error:
        channel.send_json(Kind.FAILED, {"code": "script_invalid", "message": str(error), "file": path})
        return None
    except BaseException as error:  # a script's sys.exit() too
        content = failure.describe(error, folders, code)
        content["message"] = "%s: %s" % (reason, content["message"])
        hints = [hint for hint in [modules.hint_for(error)] + modules.hidden_siblings(folders) if hint]
        if hints:
            content["hint"] = "; ".join(hints)
        channel.send_json(Kind.FAILED, content)
        return None
    for hidden in modules.hidden_siblings(folders):
        channel.log("log:W", hidden)
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()  # the model is not looked at again by every collection
    nan, memory, parser = settings.get("nan", "legacy"), settings.get("model_memory_mb"), settings.get("json_parser")
    return Invoker(entry, folders, nan, memory, parser), description


class _LateAnswers(threading.Thread):
    """Sends answers that are held back for a run() that turns out to be long.

    Started with the first request that comes together with others, so that plain workers stay without threads.
    """

    def __init__(self, loop: "_Loop") -> None:
        threading.Thread.__init__(self, name="sendoff-late-answers", daemon=True)
        self._loop = loop
        self.wanted = threading.Event()

    def run(self) -> None:
        while True:
            self.wanted.wait()
            self.wanted.clear()
            time.sleep(_LATE)
            self._loop.flush()


class _Loop:
    """Takes every frame that is ready, runs them back to back, and sends the answers together."""

    def __init__(self, channel: Channel, page: Page, invoker: Invoker, output: Output) -> None:
        self._channel = channel
        self._page = page
        self._room = Room(page.answers, page.is_given_back)
        self._begun = 0
        self._invoker = invoker
        self._output = output
        self._answers: List[Buffer] = []
        self._lock = threading.Lock()
        self._late: Optional[_LateAnswers] = None

    def run(self) -> None:
        """Answer frames until the front closes the socket."""
        while True:
            frames = self._channel.receive()
            if frames is None:
                return
            now = flushed = time.monotonic()
            # A request alone is answered right behind its run; only among several can one wait for a long run.
            if len(frames) > 1 and frames[0].kind == Kind.RUN:
                self._expect_late()
            for frame in frames:
                if frame.kind != Kind.RUN:
                    continue
                self._one(frame, now)
                now = time.monotonic()
                if now - flushed > _HOLD:
                    self.flush()
                    flushed = now
            self._page.rest()  # before the answers: a front that has them must not read that something runs
            self._channel.request_id = 0
            self.flush()

    def run_batches(self, batcher: Batcher) -> None:
        """Like ``run``, with requests joined where the script allows it."""
        while True:
            frames = self._channel.receive()
            if frames is None:
                return
            waiting = batcher.read(self._runs(frames))
            until = time.monotonic() + batcher.max_wait
            while waiting:
                batch = batcher.first(waiting)
                # Only a batch of all that waits can grow: else the next in line does not fit, and would not later.
                open_ = batch.key is not None and batch.size < batcher.max_rows and len(batch.requests) == len(waiting)
                if batcher.max_wait and open_:
                    left = until - time.monotonic()
                    more = self._channel.receive(within=left) if left > 0 else []
                    if more is None:
                        return
                    if more:
                        waiting += batcher.read(self._runs(more))
                        continue
                waiting = waiting[len(batch.requests) :]
                self._batch(batcher, batch)
                self.flush()
                until = time.monotonic() + batcher.max_wait

    def _batch(self, batcher: Batcher, batch: Batch) -> None:
        first = self._begun + 1
        self._begun += len(batch.requests)
        now = time.monotonic()
        # All of a batch are begun with its last; the front takes what is before that for begun too.
        withdrawn = self._page.begin_all(first, self._begun, batch.requests[-1].frame.id, now)
        if withdrawn or any([0.0 < request.frame.clock < now for request in batch.requests]):
            kept = []
            for place, request in enumerate(batch.requests):
                frame = request.frame
                if first + place in withdrawn:
                    self._hold(protocol.encode(Kind.SKIPPED, (), 0, frame.id))
                elif frame.clock and now > frame.clock:
                    self._refuse(frame.id, _expired())
                else:
                    kept.append(place)
            batch.keep(kept)
        if batch.requests:
            self._outcomes(batcher, batch)
        self._page.rest()
        self._page.count_batches(batcher.batches, batcher.joined)

    def _runs(self, frames: Sequence[Frame]) -> List[Frame]:
        return [self._fetch(frame) for frame in frames if frame.kind == Kind.RUN]

    def _outcomes(self, batcher: Batcher, batch: Batch) -> None:
        self._channel.request_id = batch.requests[0].frame.id
        outcomes = batcher.run(batch)
        self._leave_if_forked()
        held: List[Buffer] = []
        if isinstance(outcomes, Joined):
            ids = [request.frame.id for request in batch.requests]
            held.append(protocol.encode_all(Kind.RESULT, ids, outcomes.bodies, 200, outcomes.seconds))
            outcomes = []
        for request, outcome in zip(batch.requests, outcomes):
            frame = request.frame
            if isinstance(outcome, Refusal):
                self._refuse(frame.id, outcome)
                continue
            try:
                if outcome.pieces is not None:
                    self._stream(frame.id, outcome)
                else:
                    held += _encoded(frame.id, outcome, self._room)
            except Exception as error:
                self._refuse(frame.id, fault(error))
        self._hold(*held)
        self._output.finish_lines()
        self._channel.request_id = 0

    def _expect_late(self) -> None:
        if self._late is None:
            self._late = _LateAnswers(self)
            self._late.start()
        if not self._late.wanted.is_set():
            self._late.wanted.set()

    def flush(self) -> None:
        """Send the answers that are held."""
        # Looked at without the lock, which each request would pay for: if the other thread takes them just now, the
        # list below is empty and nothing is sent.
        if self._answers:
            with self._lock:
                answers, self._answers = self._answers, []
            self._page.count(self._invoker.rows)  # before they go: who has an answer finds its rows in /metrics
            self._channel.send_pieces(answers)

    def _hold(self, *pieces: Buffer) -> None:
        # += reads and writes: without the lock, pieces could go to a list that the other thread has just taken.
        with self._lock:
            self._answers += pieces

    def _one(self, frame: Frame, now: float) -> None:
        channel = self._channel
        self._begun += 1  # of every RUN frame, run or not: by this order the front and the page name it
        # Said before anything is looked at: from here on the front leaves the request to us, unless it was taken back.
        if not self._page.begin(self._begun, frame.id, now):
            self._hold(protocol.encode(Kind.SKIPPED, (), 0, frame.id))
            return
        if frame.clock and now > frame.clock:
            self._refuse(frame.id, _expired())
            return
        channel.request_id = frame.id
        try:
            request = None
            if frame.code:
                self._fetch(frame)
                request = json.loads(frame.bodies[1].decode("utf-8")) if frame.code & RunFlag.REQUEST else None
            answer = self._invoker.answer(frame.bodies[0], request)
            self._leave_if_forked()
            if answer.pieces is None:
                self._hold(*_encoded(frame.id, answer, self._room))
            else:
                self.flush()  # what is held does not wait for a whole stream
                self._stream(frame.id, answer)
        except Refusal as refusal:
            self._leave_if_forked()
            self._refuse(frame.id, refusal)
        except Exception as error:
            self._leave_if_forked()
            self._refuse(frame.id, fault(error))
        self._output.finish_lines()

    def _fetch(self, frame: Frame) -> Frame:
        """Bring a body out of the room: the script may keep it for longer than its place lasts."""
        if frame.code & RunFlag.SHARED:
            _, start, size = place_of(self._page.requests, frame.bodies[0])
            frame.bodies[0] = bytes(self._page.requests[start : start + size])
            frame.code &= ~RunFlag.SHARED
        return frame

    def _leave_if_forked(self) -> None:
        # A run() that forks and returns in the child too would answer every later request twice.
        if not self._channel.owned:
            os._exit(0)

    def _refuse(self, request_id: int, refusal: Refusal) -> None:
        seconds = float(refusal.content.pop("seconds", 0.0))
        body = json.dumps(refusal.content).encode("ascii")
        self._hold(protocol.encode(Kind.ERROR, [body], refusal.status, request_id, seconds))

    def _stream(self, request_id: int, answer: Answer) -> None:
        """Send a generator's pieces as they come; one that raises before its first piece has no answer yet."""
        start = time.perf_counter()
        pieces = answer.pieces or iter(())
        try:
            data = to_bytes(next(pieces, b""))
        except BaseException as error:
            self._leave_if_forked()
            refusal = self._invoker.refusal(error, answer.seconds + time.perf_counter() - start)
            self._refuse(request_id, refusal)
            return
        self._leave_if_forked()
        self._channel.send_pieces(_encoded(request_id, answer))
        failed = 0
        try:
            while True:
                if data:
                    self._channel.send(protocol.encode(Kind.CHUNK, [data], 0, request_id))
                # By the page: no frame is read while this thread is in the script's generator.
                if self._page.is_unread(request_id):
                    failed = 1
                    break
                piece = next(pieces, _END)
                if piece is _END:
                    break
                data = to_bytes(piece)
        except BaseException as error:
            self._leave_if_forked()
            sys.stderr.write(failure.text_of(error) + "\n")
            failed = 1
        close = getattr(answer.pieces, "close", None)
        if failed and close is not None:
            close()  # a generator's finally clauses run now, not when it is collected
        seconds = answer.seconds + time.perf_counter() - start
        self._channel.send(protocol.encode(Kind.END, [], failed, request_id, seconds))


def _expired() -> Refusal:
    return Refusal(503, "queue_timeout", "The deadline passed before run() was started")


def _encoded(request_id: int, answer: Answer, room: Optional[Room] = None) -> List[Buffer]:
    """Return the RESULT frame in pieces, so that a large body is not copied; or lay the body into the room."""
    body, shared = answer.body, 0
    if room is not None and len(body) > protocol.LARGE:
        laid = room.lay((body,), len(body))
        if laid is not None:
            body, shared = laid[1], ResultFlag.SHARED
    if answer.headers is None and not answer.non_finite and not shared:
        status, seconds = answer.status, answer.seconds
        return [protocol.encode_head_of_one(Kind.RESULT, len(body), status, request_id, seconds), body]
    code = answer.status & ResultFlag.STATUS_MASK | shared
    bodies: List[Buffer] = [body]
    if answer.headers is not None:
        code |= ResultFlag.HEADERS
        bodies.append(json.dumps(answer.headers).encode("ascii"))
    if answer.pieces is not None:
        code |= ResultFlag.STREAM
    if answer.failed:
        code |= ResultFlag.FAILED
    if answer.non_finite:
        code |= ResultFlag.NON_FINITE
    lengths = [len(body) for body in bodies]
    return [protocol.encode_head(Kind.RESULT, lengths, code, request_id, answer.seconds)] + bodies

"""Preload: one process calls init(), and the workers are forked from it, sharing its memory.

The front asks for each worker with a FORK frame that carries the new worker's socket and page. The script's
threads do not survive a fork, which is why this is a setting (settled.md, "Workers").
"""

import array
import atexit
import functools
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple

from sendoff_serving.protocol import Kind, encode

from . import openmp
from .channel import Channel

_NUMBERS = array.array("i").itemsize


class Template:
    """Forks workers when the front asks for them, and tells it of their end.

    Args:
        channel: the template's own channel to the front.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._children: Dict[int, bool] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def run(self, work: Callable[[int, int], int]) -> int:
        """Serve the front's requests until it closes the socket, and ``work`` in each worker that is forked.

        Args:
            work: takes the descriptors of the worker's socket and its page; returns the worker's exit status.

        Returns:
            The exit status, of the template or of a worker.
        """
        if threading.active_count() > 1:
            sys.stderr.write(
                "init() has started %d threads, which workers forked from it do not have; "
                "if the script needs them, switch the setting preload off\n" % (threading.active_count() - 1)
            )
        old = openmp.let_threads_go()
        before = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write)
        gc.collect()
        if hasattr(gc, "freeze"):
            gc.freeze()  # shared pages stay shared: the collector does not write to what is there now

        def serve() -> int:
            handed = self._wait_for_fork()
            if handed is None:
                return 0
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, before)
            return work(*handed)

        if old is None:
            return serve()
        sys.stderr.write(
            "init() has used %s, which waits for its threads also where a fork has left them behind: workers are "
            "forked from another thread, and run() does not find what init() has set for its own thread alone "
            "(threading.local, numpy.seterr); if it needs that, switch the setting preload off\n" % old
        )
        return _on_a_thread_of_its_own(serve)

    def _wait_for_fork(self) -> Optional[Tuple[int, int]]:
        link = self._channel.raw_socket
        while True:
            sources: List[Any] = [link, self._wake_read]
            ready = select.select(sources, [], [])[0]
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
                self._report_ended()
            if link not in ready:
                continue
            data, ancillary = link.recvmsg(4096, socket.CMSG_SPACE(8 * _NUMBERS))[:2]
            if not data:
                self._end_children()
                return None
            descriptors = _descriptors(ancillary)
            if len(descriptors) == 2:
                if self._fork():
                    os.close(self._wake_read)
                    os.close(self._wake_write)
                    return descriptors[0], descriptors[1]
                for descriptor in descriptors:
                    os.close(descriptor)

    def _fork(self) -> bool:
        pid = os.fork()
        if pid:
            self._children[pid] = True
            return False
        os.setsid()  # the front ends a worker with its children by its session
        return True

    def _report_ended(self) -> None:
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                del self._children[pid]
                code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                self._channel.send(encode(Kind.ENDED, [json.dumps({"pid": pid, "returncode": code}).encode("ascii")]))

    def _end_children(self) -> None:
        for pid in self._children:
            try:
                os.waitpid(pid, 0)  # their sockets are closed as well
            except OSError:
                pass


def _on_a_thread_of_its_own(serve: Callable[[], int]) -> int:
    """Call ``serve`` on a new thread; a process that is forked there lives and ends on it.

    The thread that forks is the main one of the new process, for the system and for Python. What a library keeps for
    the thread that asked it, such as a pool of threads, it does not have.
    """
    template = os.getpid()
    statuses = []

    def run() -> None:
        status = 1
        try:
            status = serve()
        finally:
            if os.getpid() != template:
                _end(status)
        statuses.append(status)

    call: Callable[[], None] = run
    try:
        import contextvars

        context = contextvars.copy_context()  # what init() has set there, decimal's precision too
        call = functools.partial(context.run, run)
    except ImportError:
        pass  # Python 3.6
    thread = threading.Thread(target=call, name="MainThread")
    thread.start()
    thread.join()
    return statuses[0] if statuses else 1


def _end(status: int) -> None:
    """End this process as the interpreter does when its main program returns."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _descriptors(ancillary: Any) -> Tuple[int, ...]:
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % _NUMBERS])
    return tuple(numbers)

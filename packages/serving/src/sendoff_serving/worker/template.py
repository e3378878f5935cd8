"""Preload: one process calls init(), and the workers are forked from it, sharing its memory.

The front asks for each worker with a FORK frame that carries the new worker's socket and page. The script's
threads do not survive a fork, which is why this is a setting (settled.md, "Workers").
"""

import array
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from typing import Any, Dict, List, Optional, Tuple

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

    def wait_for_fork(self) -> Optional[Tuple[int, int]]:
        """Serve the front's requests until it closes the socket.

        Returns:
            In a forked worker: descriptors of its socket and its page. In the template: None, at the end.
        """
        if threading.active_count() > 1:
            sys.stderr.write(
                "init() has started %d threads, which workers forked from it do not have; "
                "if the script needs them, switch the setting preload off\n" % (threading.active_count() - 1)
            )
        old = openmp.let_threads_go()
        if old is not None:
            sys.stderr.write(
                "init() has used %s, whose threads workers forked from it do not have: run() may wait for them for "
                "ever; if requests time out, switch the setting preload off or set OMP_NUM_THREADS=1\n" % old
            )
        before = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write)
        gc.collect()
        if hasattr(gc, "freeze"):
            gc.freeze()  # shared pages stay shared: the collector does not write to what is there now
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
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, before)
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


def _descriptors(ancillary: Any) -> Tuple[int, ...]:
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % _NUMBERS])
    return tuple(numbers)

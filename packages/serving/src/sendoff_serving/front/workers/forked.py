"""A worker that is forked from a template process after init(), sharing its memory (setting ``preload``)."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from ...errors import ServingError
from ...protocol import Kind, encode
from .launch import Launch
from .process import WorkerProcess

if TYPE_CHECKING:
    from .generation import Generation


class ForkedWorker(WorkerProcess):
    """A worker whose process is a child of the template, not of the front.

    Args:
        launch: how the template was started; for its settings.
        owner: who is told what happens.
        template: the process that forks.
    """

    def __init__(self, launch: Launch, owner: Generation, template: WorkerProcess) -> None:
        super().__init__(launch, owner)
        self._template = template

    async def start(self) -> None:
        """Ask the template for a fork.

        Raises:
            ServingError: the template has ended.
        """
        with self._handing_down() as (ours, link, page):
            try:
                self._template.send_descriptors(encode(Kind.FORK), [link, page])
            except OSError as error:
                raise ServingError("worker_not_started", f"The template process has ended: {error}") from None
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)

    def ended(self, returncode: int) -> None:
        """Take the news of its end, which only the template can have."""
        self._returncode = returncode
        self._exited = True
        self._end_soon()

    @property
    def exited(self) -> bool:
        """Whether the process is gone."""
        return self._exited or not self.pid or self._template.exited

    def _kill_now(self) -> None:
        if self._exited or not self.pid:
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except OSError:
            pass  # it has ended; the template will say so

"""What a service counts, and its revisions: looking at it, and going back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from ...spec.metrics import since
from ...spec.service import Revision
from ..exceptions import WebserviceException, as_sdk_errors

if TYPE_CHECKING:
    from ..workspace import Workspace


class Watched:
    """What `Webservice` offers of a service's counts and history."""

    workspace: Workspace
    name: str
    _operation_id: str | None

    if TYPE_CHECKING:

        def update_deployment_state(self) -> None: ...
        def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> None: ...

    @as_sdk_errors(WebserviceException)
    def get_metrics(self) -> dict[str, Any]:
        """What the service counts since its server was started: requests, latencies in ms, errors, queue, workers.

        Raises:
            WebserviceException: It does not answer now.
        """
        found: dict[str, Any] = msgspec.to_builtins(self.workspace._client.metrics(self.workspace.name, self.name))
        return found

    def metrics_stream(self, interval: float = 1.0) -> Iterator[dict[str, Any]]:
        """What `get_metrics` gives, again and again: of the time since the last one, first of that since the start.

        Args:
            interval: Seconds between two looks.

        Raises:
            WebserviceException: It does not answer.
        """
        before = None
        while True:
            with as_sdk_errors(WebserviceException):
                now = self.workspace._client.metrics(self.workspace.name, self.name)
            yield msgspec.to_builtins(since(now, before))
            before = now
            time.sleep(interval)

    @as_sdk_errors(WebserviceException)
    def revisions(self) -> list[Revision]:
        """What each deployment and update asked for and how it ended, oldest first; ``running`` marks what answers."""
        return self.workspace._client.revisions(self.workspace.name, self.name)

    def rollback(self, revision: int | None = None, wait: bool = True) -> None:
        """Return to an earlier revision without dropping a request.

        Args:
            revision: Its number in `revisions`; None is the newest good one before the present.
            wait: Wait until it answers.

        Raises:
            WebserviceException: There is no such revision, or it failed; what answers now goes on.
        """
        with as_sdk_errors(WebserviceException):
            self._operation_id = self.workspace._client.rollback(self.workspace.name, self.name, revision).id
            self.update_deployment_state()
        if wait:
            self.wait_for_deployment()

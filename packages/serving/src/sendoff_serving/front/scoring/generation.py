"""A generation as scoring has it: with its documents, what is usual for it, and where its records go."""

from __future__ import annotations

from typing import Any

from ...bundle import Bundle
from ...openapi import Documents
from ...protocol import Frame
from ..workers.generation import Generation, Owner
from ..workers.launch import Launch
from ..workers.process import WorkerProcess
from . import usual
from .recording import Recording


class ScoredGeneration(Generation):
    """The workers of one revision, and what requests to them are answered by.

    Args:
        bundle: what they serve.
        launch: how they are started.
        revision: name of the revision, for status and log.
        owner: the server.
        secured: whether callers need a key or token, for the OpenAPI documents.
        recording: takes what is collected; None where nothing is.

    Attributes:
        records: where its records go; None when it records nothing.
        usual: kinds of heads whose requests can go the short way (``usual.py``).
        documents: its OpenAPI documents, once init() has returned.
    """

    def __init__(
        self,
        bundle: Bundle,
        launch: Launch,
        revision: str | None,
        owner: Owner,
        *,
        secured: bool,
        recording: Recording | None,
    ) -> None:
        super().__init__(bundle, launch, revision, owner)
        self.records = None if recording is None else recording.stream(bundle, revision)
        self.usual: tuple[str, ...] = ()
        self.documents = Documents({}, [])
        self._recording = recording
        self._secured = secured

    @property
    def recording(self) -> Recording | None:
        """Where answered requests are recorded; None when they are not, or the script has collectors of its own."""
        if self.records is None or self.records.settings.capture == "off":
            return None
        own = self.records.settings.capture == "auto" and self.description.get("collectors")
        return None if own else self._recording

    def described(self, description: dict[str, Any]) -> None:
        super().described(description)
        self.usual = usual.heads_of(description)
        self.documents = Documents.make(
            self.bundle,
            description,
            secured=self._secured,
            compatible=self._owner.compatible,
            revision=self.revision,
        )
        for problem in self.documents.problems:
            self._log.warning(problem)
        for note in self.documents.notes:
            self._log.info(note, self._logger("azmlinfsrv.swagger"))

    def worker_collected(self, worker: WorkerProcess, frame: Frame) -> None:
        if self._recording is not None and self.records is not None:
            self._recording.collected(self.records, self._owner.request_name(frame.id), frame)

"""The batch step's configuration as of April 2020 (spec/surface.md sec. 2.16)."""

from __future__ import annotations

from typing import Any

from . import parallel_run


class ParallelRunConfig(parallel_run.ParallelRunConfig):
    """The same with ``input_format``."""

    def __init__(self, *args: Any, input_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.input_format = input_format

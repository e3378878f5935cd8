"""JSON lines: an object a line; its keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ..errors import InvalidInput
from ..spec.dataset import Reading
from .delimited import lines


def read_json_lines(
    reading: Reading, open_: Callable[[], BinaryIO], path: str
) -> Iterator[tuple[list[str], list[Any]]]:
    """Rows of one file with their keys.

    Raises:
        InvalidInput: A line is no JSON object and ``invalid_lines`` is ``error``; names the line.
    """
    with open_() as stream:
        for number, line in lines(stream, reading.encoding, path):
            try:
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise ValueError(f"it is {type(found).__name__}, not an object")
            except ValueError as error:
                if reading.invalid_lines == "drop":
                    continue
                raise InvalidInput(
                    f"{path}, line {number}: not a JSON object: {error}",
                    hint="invalid_lines='drop' leaves such lines out.",
                    where=path,
                    line=number,
                ) from None
            yield list(found), list(found.values())

"""The workspace's locator file as SDK v1 read and wrote it: its errors are the SDK's own."""

from __future__ import annotations

import json
from pathlib import Path

from .. import files
from ..spec import workspace_files
from ..spec.parse import text_of
from ..spec.workspace_files import Locator
from .exceptions import UserErrorException, as_sdk_errors

_MAKE_ONE = (
    "Make one with 'sendoff folder attach -w NAME', which makes the workspace too, or name a workspace that exists: "
    "Workspace.get('NAME')."
)


def find(path: str | Path | None) -> Path:
    """The file that ``path`` leads to: itself, or the first of the known places in it and in its parents.

    Raises:
        UserErrorException: There is none.
    """
    start = Path(path) if path is not None else Path.cwd()
    if not start.exists():
        raise UserErrorException(f"The workspace configuration file {str(path)!r} could not be found.", hint=_MAKE_ONE)
    found = workspace_files.find(start)
    if found is None and (start / "config.json").is_file():
        return start / "config.json"  # it names no workspace: whoever reads it says so
    if found is None:
        raise UserErrorException(
            f"The workspace configuration file config.json could not be found in {start.resolve()} or its parents.",
            hint=_MAKE_ONE,
        )
    return found


def read(path: Path) -> Locator:
    """Both shapes of the file.

    Raises:
        json.JSONDecodeError: The file is no JSON (as SDK v1 did).
        UserErrorException: Keys are missing.
    """
    data = json.loads(text_of(path.read_bytes()))
    with as_sdk_errors(UserErrorException):
        return workspace_files.parse(data, str(path))


def write(folder: Path, file_name: str, locator: Locator) -> Path:
    """Write ``<folder>/.azureml/<file_name>`` in the shape that every SDK v1 reads.

    Raises:
        UserErrorException: ``folder`` does not exist.
    """
    if not folder.is_dir():
        raise UserErrorException(f"The folder {str(folder)!r} does not exist.", hint="Make it, then write again.")
    target = folder / ".azureml" / file_name
    text = json.dumps(locator._asdict(), indent=4) + "\n"
    files.write(target, text, mode=files.PUBLIC, folder=0o777, failure=None)
    return target

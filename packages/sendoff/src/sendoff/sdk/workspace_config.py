"""The workspace's locator file (spec/surface.md sec. 2.1): where it is looked for, and its two shapes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

from .exceptions import UserErrorException

_PLACES = (
    ".azureml/config.json",
    "aml_config/config.json",
    "config.json",
    ".azureml/project.json",
    "aml_config/project.json",
)
_SCOPE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]*)/resourceGroups/(?P<group>[^/]*)/providers/"
    r"Microsoft\.MachineLearningServices/workspaces/(?P<name>[^/]+)/?\Z",
    re.IGNORECASE,
)
_MAKE_ONE = (
    "Make one with 'sendoff workspace create -w NAME' and Workspace.get('NAME').write_config(), "
    "or name the workspace: Workspace.get('NAME')."
)


class Locator(NamedTuple):
    """What a file says."""

    subscription_id: str
    resource_group: str
    workspace_name: str


def find(path: str | Path | None) -> Path:
    """The file that ``path`` leads to: itself, or the first of the known places in it and in its parents.

    Raises:
        UserErrorException: There is none.
    """
    start = Path(path) if path is not None else Path.cwd()
    if start.is_file():
        return start
    if not start.is_dir():
        raise UserErrorException(f"The workspace configuration file {str(path)!r} could not be found.", hint=_MAKE_ONE)
    for folder in (start.resolve(), *start.resolve().parents):
        for place in _PLACES:
            if (folder / place).is_file():
                return folder / place
    raise UserErrorException(
        f"The workspace configuration file config.json could not be found in {start.resolve()} or its parents.",
        hint=_MAKE_ONE,
    )


def read(path: Path) -> Locator:
    """Both shapes: three keys, or ``Scope``.

    Raises:
        json.JSONDecodeError: The file is no JSON (as SDK v1 did).
        UserErrorException: Keys are missing.
    """
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(data, dict):
        raise UserErrorException(f"{path} holds no JSON object.", hint=_MAKE_ONE)
    if data.get("Scope"):
        match = _SCOPE.match(str(data["Scope"]))
        if match is None:
            raise UserErrorException(f"{path}: 'Scope' names no workspace: {data['Scope']!r}", hint=_MAKE_ONE)
        return Locator(match["subscription"], match["group"], match["name"])
    if not data.get("workspace_name"):
        raise UserErrorException(
            f"{path} has no 'workspace_name' (nor 'Scope').",
            hint="It needs workspace_name; subscription_id and resource_group may be empty.",
        )
    return Locator(
        str(data.get("subscription_id") or ""), str(data.get("resource_group") or ""), str(data["workspace_name"])
    )


def write(folder: Path, file_name: str, locator: Locator) -> Path:
    """Write ``<folder>/.azureml/<file_name>`` in the shape that every SDK v1 reads.

    Raises:
        UserErrorException: ``folder`` does not exist.
    """
    if not folder.is_dir():
        raise UserErrorException(f"The folder {str(folder)!r} does not exist.", hint="Make it, then write again.")
    target = folder / ".azureml" / file_name
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(locator._asdict(), indent=4) + "\n", encoding="utf-8")
    return target

"""The workspace's locator file, ``config.json``: where it is looked for, its two shapes (spec/surface.md sec. 2.1)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InvalidInput
from .parse import shown, text_of

PLACES = (
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


class Locator(NamedTuple):
    """What a file says."""

    subscription_id: str
    resource_group: str
    workspace_name: str


def find(start: Path) -> Path | None:
    """The file that ``start`` leads to: itself, or the first of the known places in it and in its parents.

    A bare ``config.json`` that names no workspace belongs to some other program and is passed over.
    """
    start = start.absolute()
    if start.is_file():
        return start
    for folder in (start, *start.parents):
        for place in PLACES:
            file = folder / place
            if file.is_file() and (place != "config.json" or not _is_foreign(file)):
                return file
    return None


def parse(data: Any, where: str) -> Locator:
    """Either shape: three keys, or ``Scope``.

    Raises:
        InvalidInput: It names no workspace.
    """
    fields = data if isinstance(data, dict) else {}
    if fields.get("Scope") and not fields.get("workspace_name"):
        match = _SCOPE.match(str(fields["Scope"]))
        if match is None:
            raise InvalidInput(
                f"{where}: 'Scope' names no workspace: {shown(fields['Scope'])}", where=where, field="Scope"
            )
        return Locator(match["subscription"], match["group"], match["name"])
    if not fields.get("workspace_name"):
        raise InvalidInput(
            f"{where} names no workspace: it has neither 'workspace_name' nor 'Scope'",
            hint="It needs workspace_name (subscription_id and resource_group may be empty); "
            "`sendoff folder attach -w NAME` writes a new one.",
            where=where,
            field="workspace_name",
        )
    return Locator(
        str(fields.get("subscription_id") or ""), str(fields.get("resource_group") or ""), str(fields["workspace_name"])
    )


def _is_foreign(file: Path) -> bool:
    try:
        data = json.loads(text_of(file.read_bytes()))
    except (OSError, ValueError):
        return False  # whoever reads it says what is wrong with it
    return not (isinstance(data, dict) and (data.get("workspace_name") or data.get("Scope")))

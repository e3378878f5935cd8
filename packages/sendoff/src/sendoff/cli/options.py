"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import InvalidInput
from .command import Decorator, option, remember, together
from .session import Session

if TYPE_CHECKING:
    from ..spec.environment import EnvironmentSpec


def pairs(values: Sequence[str], flag: str) -> dict[str, str]:
    """``("k=v", …)`` as a mapping.

    Raises:
        InvalidInput: One has no ``=`` or no key.
    """
    found = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InvalidInput(
                f"{flag} {text!r} is not KEY=VALUE", hint=f"Write it like {flag} area=mnist.", field=flag
            )
        found[key] = value
    return found


def moment(text: str, flag: str) -> float:
    """A time as Unix seconds: so long ago (``90s``, ``10m``, ``2h``, ``1d``), or ISO 8601, UTC where it names no zone.

    Raises:
        InvalidInput: It is neither.
    """
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    try:
        if text[-1:] in units:
            return time.time() - float(text[:-1]) * units[text[-1]]
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{flag} {text!r} is no time", hint=f"Write {flag} 10m, or {flag} 2026-11-30T14:05.", field=flag
        ) from None


def as_read(spec: EnvironmentSpec, flags: dict[str, Any]) -> EnvironmentSpec:
    """The environment of a file with what :data:`reading` says; takes its values out of ``flags``.

    Raises:
        InvalidInput: The day is neither a date nor auto nor never, or lines are of another machine.
    """
    from ..spec.environment_elsewhere import for_here

    as_of = flags.pop("as_of")
    spec = for_here(spec, ignore_local=flags.pop("ignore_local"), ignore_windows=flags.pop("ignore_windows"))
    if as_of is None:
        return spec
    from ..spec.environment import check_as_of
    from ..spec.parse import replace

    return replace(spec, python=replace(spec.python, as_of=check_as_of(as_of, where="flags", field="--as-of")))


def filters(values: Sequence[str]) -> dict[str, str | None] | None:
    """``("k=v", "k2")`` as a filter: a key alone asks only that it is there."""
    if not values:
        return None
    return {text.partition("=")[0]: text.partition("=")[2] if "=" in text else None for text in values}


def boolean(ctx: click.Context, param: click.Parameter, value: Any) -> bool | None:
    """A truth value given as text in any case; the flag alone is true."""
    if value is None:
        return None
    return bool(click.BOOL.convert(str(value).strip(), param, ctx))


def toggle(*declarations: str, help: str) -> Decorator:
    """An option like ``--auth-enabled``, ``--ae true`` or ``--ae False``; alone it means true."""
    return option(
        *declarations, is_flag=False, flag_value="true", default=None, callback=boolean, metavar="true|false", help=help
    )


def ignored(*declarations: str, help: str, **attributes: Any) -> Decorator:
    """An option that is read, so that scripts which have it run, and means nothing here."""
    return option(*declarations, expose_value=False, help=help, **attributes)


yes = ignored("--yes", "-y", is_flag=True, help="Taken for scripts' sake; nothing is asked.")
no_wait = option("--no-wait", is_flag=True, help="Return as soon as the work has begun.")


def tag(help: str = "Tag to put on it; repeat for more.") -> Decorator:
    """``--tag k=v``."""
    return option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help=help)


def prop(help: str = "Property to put on it; repeat for more. Properties cannot be changed later.") -> Decorator:
    """``--property k=v``."""
    return option("--property", "properties", multiple=True, metavar="KEY=VALUE", help=help)


reading = together(
    option("--as-of", default=None, metavar="DATE|auto|never",
           help="Resolve packages as of a day, YYYY-MM-DD. auto, the default: where the newest release that "
           "is pinned is old, 60 days after it."),
    option("--ignore-local", is_flag=True,
           help="Of lines that pip freeze wrote inside conda (NAME @ file:///…/work), take the names."),
    option("--ignore-windows", is_flag=True, help="Leave out packages that are for Windows alone."),
)  # fmt: skip
"""How the file of an environment is to be read."""


changing = together(
    option("--add-tag", "add_tags", multiple=True, metavar="KEY=VALUE",
           help="Tag to add or to change; repeat for more."),
    option("--remove-tag", "remove_tags", multiple=True, metavar="KEY", help="Tag to remove; repeat for more."),
    option("--add-property", "add_properties", multiple=True, metavar="KEY=VALUE", help="Property to add."),
)  # fmt: skip


def changes(given: dict[str, Any]) -> dict[str, Any]:
    """What an update says of tags and properties; takes the values of :data:`changing` out of ``given``."""
    return {
        "add_tags": pairs(given.pop("add_tags"), "--add-tag"),
        "remove_tags": list(given.pop("remove_tags")),
        "add_properties": pairs(given.pop("add_properties"), "--add-property"),
    }


filtering = together(
    option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="Only those with this tag; repeat for more."),
    option("--property", "properties", multiple=True, metavar="KEY[=VALUE]", help="Only those with this property."),
)


def name(help: str, *, required: bool = True) -> Decorator:
    """``-n/--name``."""
    return option("--name", "-n", required=required, metavar="NAME", help=help)


metadata_out = option(
    "metadata_file", "--output-metadata-file", "-t", metavar="FILE", default=None,
    expose_value=False, callback=remember, help="Also write what identifies it to this JSON file.",
)  # fmt: skip
"""``-t/--output-metadata-file``."""


def read_metadata(path: str, key: str) -> str:
    """The id that a metadata file holds.

    Raises:
        InvalidInput: No such file, or it lacks ``key``.
    """
    from ..spec.parse import read_file

    data = read_file(path, "metadata file")
    value = data.get(key) if isinstance(data, dict) else None
    if not value:
        raise InvalidInput(
            f"metadata file {path} has no {key!r}", hint="`sendoff model register … -t FILE` writes one.", where=path
        )
    return str(value)


def model_ids(ids: Sequence[str], files: Sequence[str]) -> list[str]:
    """Models given by ``-m NAME:VERSION`` and by ``-f`` metadata files, in that order.

    Raises:
        InvalidInput: A path was given instead of an id, or an id is malformed.
    """
    from ..spec.names import split_model_id

    found = [*ids, *(read_metadata(path, "modelId") for path in files)]
    for model in found:
        try:
            split_model_id(model)
        except InvalidInput as wrong:
            if Path(model).exists():
                raise InvalidInput(
                    f"-m {model!r} is a path; a registered model's id is needed",
                    hint=f"sendoff model register -n NAME -p {model}",
                    field="model",
                ) from None
            raise wrong from None
    return found


def resource_group(session: Session) -> str:
    """The resource group to write into metadata files: ``-g``, else the workspace's own."""
    return session.resource_group or session.client.workspace(session.workspace).resource_group

"""Whether modules can be imported in an image: asked of it in a container, before a service runs in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..containers.engine import Engine, EngineError
from ..containers.runs import run
from ..environments.imports import SECONDS, answered, digest_of, naming, program
from ..errors import TargetUnavailable
from ..progress import Progress
from ..spec.imports import Import, NotImported
from .remembered import Remembered

_KEPT = 100


def import_inside(
    engine: Engine,
    image: str,
    python: str,
    wanted: Sequence[Import],
    variables: Mapping[str, str],
    *,
    home: Path,
    progress: Progress,
) -> list[NotImported]:
    """Import modules, one after another, with an image's interpreter; what went well once is not done again.

    Args:
        engine: Where the image is.
        image: Its id.
        python: The interpreter's path in it.
        wanted: In the script's order.
        variables: The definition's variables, which libraries may read.
        home: Sendoff's home, which remembers what went well.
        progress: Receives plain lines.

    Returns:
        Those that failed; none where it took too long or the container did not run, which says nothing of them.

    Raises:
        TargetUnavailable: The engine does not answer.
    """
    digest = digest_of(wanted, variables)
    memory = Remembered(home / "images" / "imported.json")
    if not wanted or digest in (memory.get(image) or []):
        return []
    progress(f"{naming(wanted)} in the image")
    body = {
        "Image": image,
        "Entrypoint": [python],
        "Cmd": program(wanted),
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "WorkingDir": "/tmp",
        "Healthcheck": {"Test": ["NONE"]},
    }
    try:
        status, said = run(engine, body, stderr=False, seconds=SECONDS)
    except EngineError:
        return []  # the service's own container says why
    except TargetUnavailable as error:
        if error.context.get("reason") == "timeout":
            return []
        raise
    failed = answered(said, max(0, status - 128))
    if not failed and status == 0:
        memory.put(image, [*(memory.get(image) or []), digest][-_KEPT:])
    return failed

"""Whether modules can be imported in a built environment: asked of it in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..progress import Progress, silent
from ..spec.parse import Spec, encode
from .uv import patiently

_SECONDS = 300.0
_DONE = ".imported-"

# Runs on any Python from 3.6. What modules print goes to standard error, so that the answers stand alone.
_IMPORT = """
import importlib, json, os, sys
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
sys.argv[:] = [""]
for module, names in json.loads(sys.stdin.read()):
    answers.write(json.dumps({"module": module, "begins": True}) + "\\n")
    answers.flush()
    said = {"module": module}
    try:
        found = importlib.import_module(module)
        for name in names:
            if not hasattr(found, name):
                try:
                    importlib.import_module(module + "." + name)
                except ImportError as error:
                    if getattr(error, "name", None) not in (module + "." + name, module):
                        raise
                    raise ImportError("cannot import name %r from %r" % (name, module), name=module)
    except BaseException as error:
        said["kind"] = [one.__name__ for one in type(error).__mro__]
        said["message"] = str(error)
        if isinstance(error, ImportError):
            said["missing"] = error.name if type(error).__name__ == "ModuleNotFoundError" else None
    answers.write(json.dumps(said) + "\\n")
    answers.flush()
answers.flush()
os._exit(0)
"""


class Import(Spec):
    """A module to import, and names that have to be in it."""

    module: str
    names: list[str] = []


class NotImported(Spec):
    """What an import raised: class names, the most special first; ``missing`` is the module that is not there."""

    module: str
    kind: list[str]
    message: str
    missing: str | None = None

    def __str__(self) -> str:
        return f"{self.kind[0]}: {self.message}" if self.message else self.kind[0]


def import_all(
    python: Path, wanted: Sequence[Import], variables: Mapping[str, str], progress: Progress = silent
) -> list[NotImported]:
    """Import modules, one after another in one process, as a script does.

    What went well once is not done again: the folder of the environment remembers it.

    Args:
        python: The environment's interpreter.
        wanted: In the script's order.
        variables: The definition's variables, which libraries may read.
        progress: Receives plain lines.

    Returns:
        Those that failed; none where the process took too long, which says nothing.
    """
    asked = [[one.module, sorted(one.names)] for one in wanted]
    mark = python.parent.parent / (_DONE + hashlib.sha256(encode([asked, dict(variables)])).hexdigest()[:16])
    if not wanted or mark.exists():
        return []
    what = f"importing {', '.join(dict.fromkeys(one.module.partition('.')[0] for one in wanted))}"
    progress(what)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryDirectory(prefix="sendoff-imports-") as folder, tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [str(python), "-c", _IMPORT],
            env={**kept, **variables},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(asked).encode())
            process.stdin.close()
            patiently(lambda silence: process.wait(silence), what, _SECONDS, progress)
        except TimeoutError:
            return []
        except BrokenPipeError:
            process.wait()  # it has ended before it read; what it answered tells where
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        out.seek(0)
        answers = [json.loads(line) for line in out.read().splitlines()]
    failed = [
        NotImported(module=one["module"], kind=one["kind"], message=one["message"], missing=one.get("missing"))
        for one in answers
        if "kind" in one
    ]
    if process.returncode < 0 and answers and answers[-1].get("begins"):
        name = signal.Signals(-process.returncode).name
        failed.append(NotImported(module=answers[-1]["module"], kind=[name], message="the process was ended by it"))
    if not failed and process.returncode == 0:
        try:
            mark.touch()
        except OSError:
            pass  # a home that cannot be written is asked again next time
    return failed

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
from ..spec.imports import Import, NotImported
from ..spec.parse import encode
from .uv import patiently

SECONDS = 300.0
_DONE = ".imported-"

# Runs on any Python from 3.6. What modules print goes to standard error, so that the answers stand alone.
_IMPORT = """
import importlib, json, os, sys
if os.getpid() == 1:  # of a container: a signal that it sends to itself would not end it
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        os._exit(128 + (status & 127) if status & 127 else status >> 8)
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
asked = json.loads(sys.argv[1])
sys.argv[:] = [""]
for module, names in asked:
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


def program(wanted: Sequence[Import]) -> list[str]:
    """Arguments to a Python (3.6 or newer) that imports modules, one after another, and says how it went.

    Args:
        wanted: In the script's order.
    """
    return ["-c", _IMPORT, json.dumps([[one.module, sorted(one.names)] for one in wanted])]


def answered(said: bytes, signal_number: int) -> list[NotImported]:
    """What failed.

    Args:
        said: What the program wrote to its standard output.
        signal_number: The signal that ended it; 0 where none did.
    """
    answers = [json.loads(line) for line in said.splitlines()]
    failed = [
        NotImported(module=one["module"], kind=one["kind"], message=one["message"], missing=one.get("missing"))
        for one in answers
        if "kind" in one
    ]
    if signal_number and answers and answers[-1].get("begins"):
        name = signal.Signals(signal_number).name
        failed.append(NotImported(module=answers[-1]["module"], kind=[name], message="the process was ended by it"))
    return failed


def digest_of(wanted: Sequence[Import], variables: Mapping[str, str]) -> str:
    """A digest of what is imported and of the variables it is imported with."""
    asked = [[one.module, sorted(one.names)] for one in wanted]
    return hashlib.sha256(encode([asked, dict(variables)])).hexdigest()[:16]


def naming(wanted: Sequence[Import]) -> str:
    """The line that says what is being imported."""
    return f"importing {', '.join(dict.fromkeys(one.module.partition('.')[0] for one in wanted))}"


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
    mark = python.parent.parent / (_DONE + digest_of(wanted, variables))
    if not wanted or mark.exists():
        return []
    what = naming(wanted)
    progress(what)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryDirectory(prefix="sendoff-imports-") as folder, tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [str(python), *program(wanted)],
            env={**kept, **variables},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            patiently(lambda silence: process.wait(silence), what, SECONDS, progress)
        except TimeoutError:
            return []
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        out.seek(0)
        failed = answered(out.read(), max(0, -process.returncode))
    if not failed and process.returncode == 0:
        try:
            mark.touch()
        except OSError:
            pass  # a home that cannot be written is asked again next time
    return failed

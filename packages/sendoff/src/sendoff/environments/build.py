"""A lock into a folder with a Python: built once, by whoever comes first, and checked against the lock."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import files
from ..errors import EnvironmentFailed, InvalidInput, StoreError
from ..progress import Progress, silent
from ..spec.environment import METHOD_CONDA, METHOD_USER_MANAGED, Lock, canonical_name
from ..spec.parse import Spec, decode, encode
from . import archives, conda, interpreters, uv
from .as_of import AsOf
from .indexes import Supply

MARKER = ".complete"
_SAY_EVERY = 10.0

# Runs in the built environment, on any Python from 3.6: which distributions are there, and where it thinks it is.
_FACTS = """
import json, os, sys
found = []
for folder in sys.path:
    if os.path.isdir(folder) and os.path.realpath(folder).startswith(os.path.realpath(sys.prefix) + os.sep):
        found += [name[:-len(".dist-info")] for name in os.listdir(folder) if name.endswith(".dist-info")]
print(json.dumps({"prefix": sys.prefix, "version": "%d.%d.%d" % sys.version_info[:3], "found": found}))
"""


class BuiltEnvironment(Spec):
    """An environment that is ready to run: its interpreter, its key, what the lock noted, and how it came about.

    ``again`` is true where it was there already: then its notes were told when it was built.
    """

    python: Path
    key: str
    notes: list[str] = []
    how: str = ""
    again: bool = True


class PresentEnvironment(Spec):
    """A built environment on disk; ``lock_digest`` is empty for a half-built one, ``used`` is unix seconds."""

    key: str
    lock_digest: str
    python_version: str
    used: float


def folder_of(home: Path) -> Path:
    """Where built environments lie."""
    return home / "environments"


def ensure(lock: Lock, supply: Supply, *, home: Path) -> BuiltEnvironment:
    """Build a lock's environment, or find it built.

    When another process builds it, this one waits and says so. What was left half-built is removed and built anew.

    Args:
        lock: What to build.
        supply: Where the pinned packages are fetched from.
        home: Sendoff's home; the environment lies in ``environments/<key>``.

    Raises:
        EnvironmentFailed: A package cannot be fetched or built, or the result is not what the lock says.
        StoreError: The home cannot be written.
    """
    if lock.method == METHOD_USER_MANAGED:
        found = interpreters.probe(lock.python, supply.environ)
        if found.problem:
            raise EnvironmentFailed(
                f"the interpreter {lock.python} {found.problem}",
                hint="It was there when the environment was resolved; correct interpreterPath.",
            )
        return BuiltEnvironment(python=Path(lock.python), key=lock.key, notes=lock.notes)
    folder = folder_of(home) / lock.key
    python = _python_of(folder)
    if _is_complete(folder, lock):
        return BuiltEnvironment(python=python, key=lock.key, notes=lock.notes, how="built before")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"{folder.parent} cannot be made: {error.strerror}", path=str(folder.parent)) from None
    with _held(folder, f"the environment {lock.key[:12]}", supply.progress) as holds:
        if _is_complete(folder, lock):
            how = "built by another process just now"
            return BuiltEnvironment(python=python, key=lock.key, notes=lock.notes, how=how)
        if folder.exists():
            supply.progress("removing what an interrupted build left behind")
            _remove_tree(folder)
        start = time.monotonic()
        try:
            _build(lock, folder, home, supply, holds)
            check(lock, folder)
        except OSError as error:
            raise StoreError(
                f"the environment {folder} cannot be written: {error.strerror}", path=str(folder)
            ) from None
        files.write(folder / MARKER, encode(lock), mode=files.PUBLIC)
        count = uv.packages(len(lock.pins()) + len(lock.conda_packages))
        how = f"built with {count} in {time.monotonic() - start:.1f} s"
        supply.progress(how)
    return BuiltEnvironment(python=python, key=lock.key, notes=lock.notes, how=how, again=False)


def dated(lock: Lock) -> list[str]:
    """uv's options for installing a lock: what its source archives are built with is of the lock's day, too."""
    if lock.as_of is None:
        return []
    day = AsOf(day=datetime.date.fromisoformat(lock.as_of), reason="", automatic=False)
    return uv.dated(day.until, lock.undated)


def check(lock: Lock, folder: Path) -> None:
    """Make sure that a built environment is what its lock says: its prefix, Python and every pinned version.

    An environment that silently is another one serves wrong predictions (spec/pains.md 20).

    Raises:
        EnvironmentFailed: It is not; the message says in what.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(_python_of(folder)), "-c", _FACTS],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        timeout=120,
        cwd=folder,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise EnvironmentFailed(
            f"the environment's Python does not run: {(lines or ['no output'])[-1]}", log=lines[-20:]
        )
    facts = json.loads(done.stdout.strip().splitlines()[-1])
    if os.path.realpath(facts["prefix"]) != os.path.realpath(folder):
        raise EnvironmentFailed(f"the environment's Python runs in {facts['prefix']}, not in {folder}")
    if facts["version"] != lock.python_version:
        raise EnvironmentFailed(
            f"the environment has Python {facts['version']}, its lock {lock.python_version}",
            hint="The interpreter was replaced meanwhile; resolve the environment again.",
        )
    there = {canonical_name(name): version for name, _, version in (one.partition("-") for one in facts["found"])}
    for name, version in lock.pins().items():
        if name not in there or not _same_version(there[name], version):
            raise EnvironmentFailed(
                f"the environment has {name} {there.get(name, '(not installed)')}, its lock {version}",
                hint="Remove it with sendoff gc and build again.",
            )


def present(home: Path) -> list[PresentEnvironment]:
    """Every environment on disk, half-built ones too."""
    found: list[PresentEnvironment] = []
    try:
        folders = sorted(path for path in folder_of(home).iterdir() if path.is_dir() and path.name[0] != ".")
    except OSError:
        return []
    for folder in folders:
        lock = _marked(folder)
        try:
            used = (folder / MARKER if lock else folder).stat().st_mtime
        except OSError:
            continue  # removed a moment ago
        found.append(
            PresentEnvironment(
                key=folder.name,
                lock_digest=lock.digest if lock else "",
                python_version=lock.python_version if lock else "",
                used=used,
            )
        )
    return found


def remove(home: Path, key: str) -> bool:
    """Delete a built environment, after whoever builds it now has finished. Whether it is used is the caller's to know.

    Returns:
        False when there was none.

    Raises:
        InvalidInput: ``key`` is not a key.
        StoreError: It cannot be deleted.
    """
    if not key.isalnum():
        raise InvalidInput(f"{key!r} is not the key of an environment", field="key")
    folder = folder_of(home) / key
    if not folder.exists():
        return False
    with _held(folder, f"the environment {key[:12]}", silent):
        if not folder.exists():
            return False
        _remove_tree(folder)
    return True


def _build(lock: Lock, folder: Path, home: Path, supply: Supply, holds: int) -> None:
    if lock.method == METHOD_CONDA:
        conda.install(lock.conda_records, folder, supply, cache=home / "cache")
    else:
        arguments = ["venv", "--quiet", "--no-project", "--no-python-downloads", "--python", lock.python, str(folder)]
        uv.run(arguments, supply, waits_for="making the environment", holds=holds)
    if not lock.requirements:
        return
    requirements = folder / "requirements.txt"
    requirements.write_text(archives.for_installing(lock.requirements, home), encoding="utf-8")
    count = uv.packages(len(lock.pins()))
    supply.progress(f"installing {count}")
    arguments = ["pip", "install", "--quiet", "--require-hashes", "--no-deps", "--requirements", str(requirements)]
    arguments += ["--python", str(_python_of(folder)), "--break-system-packages"]
    arguments += dated(lock)
    # Compiled here once, instead of in each worker at its first start. uv's compiler needs 3.7.
    old = lock.python_version.startswith("3.6.")
    arguments += [] if old else ["--compile-bytecode"]
    uv.run(arguments, supply, waits_for=f"installing {count}", holds=holds)
    if old:
        command = [str(_python_of(folder)), "-m", "compileall", "-q", "-j", "0", str(folder / "lib")]
        subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=600)  # an aid: may fail
    requirements.unlink()


def _python_of(folder: Path) -> Path:
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def _marked(folder: Path) -> Lock | None:
    try:
        return decode((folder / MARKER).read_bytes(), Lock, where=str(folder / MARKER))
    except (OSError, InvalidInput):
        return None


def _is_complete(folder: Path, lock: Lock) -> bool:
    marked = _marked(folder)
    # A venv whose base interpreter was uninstalled is a dangling link: exists() follows it.
    if marked is None or marked.digest != lock.digest or not _python_of(folder).exists():
        return False
    try:
        os.utime(folder / MARKER)
    except OSError:
        pass  # a read-only home can still serve; only gc reads this time
    return True


def _same_version(one: str, other: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one.replace("_", "-")) == Version(other)
    except InvalidVersion:
        return one == other


def _remove_tree(folder: Path) -> None:
    doomed = folder.with_name(f".removing-{folder.name}-{os.getpid()}")
    try:
        folder.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise StoreError(f"{folder} cannot be removed: {error.strerror}", path=str(folder)) from None


@contextmanager
def _held(folder: Path, what: str, progress: Progress) -> Iterator[int]:
    """Hold the lock file beside a folder, say who holds it while waiting; gives the lock's descriptor.

    The kernel frees it when its holder, and every child that inherited the descriptor, is gone.
    """
    path = folder.with_name(f".{folder.name}.lock")
    said = -_SAY_EVERY

    def waiting(seconds: float) -> None:
        nonlocal said
        if seconds - said >= _SAY_EVERY:
            holder = path.read_text("ascii", "replace").strip() or "?"
            progress(f"waiting for {what}, which process {holder} builds ({seconds:.0f} s)")
            said = seconds

    try:
        descriptor = files.acquire(path, waiting=waiting)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}", path=str(path)) from None
    assert descriptor is not None
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)

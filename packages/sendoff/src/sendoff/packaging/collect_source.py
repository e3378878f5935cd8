"""The scoring code of a deployment: which local files go, and where they stand under the application root."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from ..errors import InvalidInput
from ..spec.inference import SourceSpec
from ..spec.local_links import followed, leads_out, refused
from ..spec.model import ManifestFile
from ..spec.parse import MARKS, text_of
from .check_script import check_script
from .ignore_file import NEVER_UPLOADED, IgnoreRules, read_rules

LARGE = 300 * 1024 * 1024
MOST_FILES, DEEPEST = 100_000, 100
"""Far more than code has: what is beyond it is a mistake, or a maze of links."""
MODELS_FOLDER = "azureml-models"


@dataclass(frozen=True, kw_only=True)
class CollectedSource:
    """Local files to upload: ``files`` maps each path under the application root to the file it comes from.

    ``texts`` has the content of those that are not uploaded as they are: Python's own files in UTF-16, which it cannot
    read.
    """

    entry_script: str
    source_directory: str | None
    files: dict[str, Path]
    origin: str
    notes: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    followed: list[str] = field(default_factory=list)
    """Links that lead out of the folder and were followed."""

    def spec(self, stored: Mapping[str, tuple[str, int]]) -> SourceSpec:
        """The spec to send along.

        Args:
            stored: For each path of ``files``, digest (``sha256:<hex>``) and size in bytes of its blob.
        """
        manifest = [
            ManifestFile(path=path, digest=stored[path][0], size=stored[path][1]) for path in sorted(self.files)
        ]
        return SourceSpec(
            entry_script=self.entry_script,
            source_directory=self.source_directory,
            files=manifest,
            origin=self.origin,
            followed=self.followed,
        )


def collect_source(
    entry_script: str | Path,
    source_directory: str | Path | None = None,
    *,
    cwd: Path | None = None,
    honour_ignore_files: bool = True,
    python: str | None = None,
    follow_links: bool = False,
) -> CollectedSource:
    """Find the files of an inference configuration (spec/behaviour.md sec. 6 and 9).

    Args:
        entry_script: Relative to ``source_directory`` when that is given, else to ``cwd``; absolute works too.
        source_directory: The whole folder goes, under its own name. Without it the script goes alone, to the root.
        cwd: What relative paths start from; the working directory by default.
        honour_ignore_files: Leave out what the folder's ``.amlignore`` (else ``.gitignore``) names. ``.git`` and
            ``__pycache__`` never go.
        python: The Python that will run the script, as ``3.6``, when it is known.
        follow_links: Take what links lead to that lead out of the folder; a note names them.

    Raises:
        InvalidInput: Something is missing, unreadable, outside the folder, or surely cannot be served.
    """
    base = cwd or Path.cwd()
    if source_directory is None:
        script = _script(base / entry_script, entry_script, base, None)
        notes = check_script(str(entry_script), _read(script), python=python)
        return CollectedSource(
            entry_script=script.name,
            source_directory=None,
            files={script.name: script},
            origin=str(script.parent.resolve()),
            texts=_texts({script.name: script}, notes),
            notes=notes,
        )
    folder = _folder(base / source_directory)
    script = _script(folder / entry_script, entry_script, folder, source_directory)
    inside = _inside(script, folder, entry_script)
    notes = check_script(str(entry_script), _read(script), python=python)
    rules, ignore_name = read_rules(folder) if honour_ignore_files else (IgnoreRules(), None)
    name = folder.name
    outside: list[str] | None = [] if follow_links else None
    files = _manifest(folder, rules, notes, outside)
    if outside:
        notes.append(followed(outside))
    entry = normalize("NFC", f"{name}/{inside}")
    if entry not in files:
        raise InvalidInput(
            f"entry script {inside} is left out by {ignore_name} in {folder}",
            hint=f"Add the line '!{inside}' to {ignore_name}.",
            where=str(folder / (ignore_name or "")),
        )
    size = sum(local.stat().st_size for local in files.values())
    if size > LARGE:
        notes.append(
            f"The source folder {folder} has {len(files)} files of {size >> 20} MB; name what is not needed in "
            ".amlignore, and register models instead of copying them along."
        )
    return CollectedSource(
        entry_script=entry,
        source_directory=normalize("NFC", name),
        files=files,
        origin=str(folder),
        texts=_texts(files, notes),
        notes=notes,
        followed=outside or [],
    )


def collect_again(source: SourceSpec) -> CollectedSource:
    """The same source, read anew from where it came from: what a client does for `reload`.

    Raises:
        InvalidInput: Its folder is not on this machine (any more).
    """
    if source.origin is None or not Path(source.origin).is_dir():
        raise InvalidInput(
            f"the source folder {source.origin or '(unknown)'} of {source.entry_script} is not on this machine",
            hint="Use update with an inference configuration instead.",
        )
    if source.source_directory is None:
        return collect_source(source.entry_script, cwd=Path(source.origin))
    script = source.entry_script.removeprefix(f"{source.source_directory}/")
    return collect_source(script, source.origin, follow_links=bool(source.followed))


def _folder(path: Path) -> Path:
    def wrong(what: str, hint: str = "") -> InvalidInput:
        return InvalidInput(f"source directory {what}", hint=hint, where=str(path), field="source_directory")

    if not path.exists():
        raise wrong(f"{path} does not exist")
    if not path.is_dir():
        raise wrong(f"{path} is a file; a folder is needed")
    folder = path.resolve()
    if folder.name in ("", MODELS_FOLDER):
        why = f"its name {folder.name!r} is taken under the application root"
        raise wrong(f"{folder} cannot be used: {why}", "Put the code into a folder of another name.")
    return folder


def _script(path: Path, given: str | Path, base: Path, source_directory: str | Path | None) -> Path:
    def wrong(what: str, hint: str = "") -> InvalidInput:
        return InvalidInput(f"entry script {what}", hint=hint, where=str(path), field="entry_script")

    if path.is_dir():
        raise wrong(f"{path} is a folder; a .py file is needed")
    if not path.exists():
        hint = f"Looked in {base}."
        if source_directory is not None:
            parts = Path(given).parts
            shorter = Path(*parts[1:]) if len(parts) > 1 and parts[0] == base.name else None
            if shorter is not None and (base / shorter).is_file():
                hint = f"The path is relative to the source directory: write {shorter.as_posix()!r}."
            elif (base.parent / Path(given).name).is_file():
                hint = f"Looked in {base}; a file of that name is beside the source directory: move it in."
        raise wrong(f"{given} does not exist", hint)
    if path.suffix.lower() == ".r":
        raise wrong(f"{given} is not a Python file", "R scripts are out of scope: write init() and run() in Python.")
    if path.suffix != ".py":
        raise wrong(f"{given} is not a Python file", "An entry script's name ends in .py.")
    if not path.is_file():
        raise wrong(f"{given} is not a regular file")
    return path


def _inside(script: Path, folder: Path, given: str | Path) -> str:
    for candidate in (Path(os.path.normpath(script)), script.resolve()):
        if candidate.is_relative_to(folder):
            return candidate.relative_to(folder).as_posix()
    raise InvalidInput(
        f"entry script {given} is outside the source directory {folder}",
        hint="Move it into the folder, or name a source directory that holds it.",
        where=str(script),
        field="entry_script",
    )


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", where=str(path)) from None
    if not content.startswith(MARKS):
        return content
    try:
        return text_of(content).encode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is no text: {error}", hint="Save it as UTF-8.", where=str(path)) from None


def _texts(files: Mapping[str, Path], notes: list[str]) -> dict[str, bytes]:
    """Python files in UTF-16 or UTF-32 with its mark, as PowerShell's ``>`` writes them, in UTF-8."""
    found = {}
    for path, local in files.items():
        if path.endswith(".py"):
            with local.open("rb") as file:
                marked = file.read(4).startswith(MARKS)
            if marked:
                found[path] = _read(local)
                notes.append(f"{path} is in UTF-16 or UTF-32, which Python cannot read; its text goes along in UTF-8.")
    return found


def _manifest(folder: Path, rules: IgnoreRules, notes: list[str], outside: list[str] | None) -> dict[str, Path]:
    """The files of a folder by their paths under the application root, names in the form that Python imports."""
    found: dict[str, Path] = {}
    for path, local in _walk(folder, rules, notes, outside):
        name = normalize("NFC", f"{folder.name}/{path}")
        if name in found:
            raise InvalidInput(
                f"{local} and {found[name]} have the same name, in two forms of Unicode (composed and decomposed)",
                hint="Remove or rename one of them.",
                where=str(local),
            )
        found[name] = local
        if len(found) > MOST_FILES:
            raise _too_many(folder, "files")
    return found


def _too_many(folder: Path, what: str) -> InvalidInput:
    return InvalidInput(
        f"source directory {folder} holds more than {MOST_FILES:,} {what}",
        hint="Name what is not needed in .amlignore; links to folders that hold links make them many.",
        where=str(folder),
        field="source_directory",
    )


def _walk(folder: Path, rules: IgnoreRules, notes: list[str], outside: list[str] | None) -> Iterator[tuple[str, Path]]:
    """Regular files under a folder with their relative paths; links are followed, a loop is walked once."""
    pending: list[tuple[Path, str, frozenset[Path]]] = [(folder, "", frozenset({folder}))]
    walked = 0
    while pending:
        here, prefix, above = pending.pop()
        walked += 1
        if walked > MOST_FILES:
            raise _too_many(folder, "folders")
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            raise InvalidInput(
                f"folder {here} cannot be read: {error.strerror}",
                hint="Change its permissions or name it in .amlignore.",
                where=str(here),
            ) from None
        if prefix.count("/") > DEEPEST:
            raise InvalidInput(
                f"folders are more than {DEEPEST} deep in each other in {folder}: {prefix[:60]}…",
                hint="Name the outermost of them in .amlignore.",
                where=str(folder),
                field="source_directory",
            )
        for entry in entries:
            path, relative = Path(entry.path), prefix + entry.name
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # a link through forty others
                raise InvalidInput(
                    f"{path} cannot be followed: {error.strerror}",
                    hint="Remove it or name it in .amlignore.",
                    where=str(path),
                ) from None
            if entry.name in NEVER_UPLOADED or rules.ignores(relative, folder=is_folder):
                continue
            if leads_out(path, folder):
                if outside is None:
                    raise refused(path, folder, "source_directory")
                outside.append(relative)
            if is_folder:
                real = path.resolve()
                if real not in above:
                    pending.append((path, f"{relative}/", above | {real}))
                continue
            _check_file(path, relative, notes)
            if path.is_file():
                yield relative, path


def _check_file(path: Path, relative: str, notes: list[str]) -> None:
    try:
        relative.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            f"the file name {relative!r} is not valid Unicode", hint="Rename it.", where=str(path)
        ) from None
    try:
        mode = path.stat().st_mode
    except OSError as error:
        what = "points to nothing" if path.is_symlink() else f"cannot be read: {error.strerror}"
        raise InvalidInput(f"{path} {what}", hint="Remove it or name it in .amlignore.", where=str(path)) from None
    if not stat.S_ISREG(mode):
        notes.append(f"{relative} is not a regular file and stays behind.")
    elif not os.access(path, os.R_OK):
        raise InvalidInput(
            f"{path} cannot be read: permission denied",
            hint="Change its permissions or name it in .amlignore.",
            where=str(path),
        )

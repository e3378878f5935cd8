"""A folder of SDK v1 code, file by file. Nothing is imported and nothing is run."""

from __future__ import annotations

import ast
import json
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from ..errors import InvalidInput
from ..progress import Progress
from ..spec.parse import text_of
from . import commands as az
from . import files
from .findings import RUNS, FileReport, Finding, Report
from .python_code import Reader, is_entry_script

_SKIPPED = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv", ".tox", ".ipynb_checkpoints", ".azureml"}
)
_SCRIPTS = frozenset({".sh", ".bash", ".ps1", ".cmd", ".bat", ".azcli", ".md", ".rst"})
_SETTINGS = frozenset({".yml", ".yaml", ".json"})
_LARGEST = 5 * 2**20
_MAGIC = re.compile(r"^\s*[%!?]")


def check(path: Path | str, commands: az.Commands, progress: Progress | None = None) -> Report:
    """Say of each use of SDK v1 below a path what becomes of it.

    Args:
        path: A folder, or a single file.
        commands: The command line's commands, for lines that call ``az ml``.
        progress: Takes a line now and then.

    Raises:
        InvalidInput: There is nothing at the path.
    """
    root = Path(path)
    if not root.exists():
        raise InvalidInput(f"{root} does not exist", hint="Give a folder of scripts and notebooks, or one file.")
    reports: list[FileReport] = []
    count = 0
    for file in _files(root):
        count += 1
        if progress is not None and count % 500 == 0:
            progress(f"Looked into {count} files")
        shown = str(file.relative_to(root)) if root.is_dir() else str(file)
        found = _read(file, shown, commands)
        if found is not None and (found.findings or found.problem):
            reports.append(found)
    return Report(root=str(root), files=reports, looked_into=count)


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            file = Path(folder) / name
            if file.suffix.lower() in {".py", ".ipynb", *_SCRIPTS, *_SETTINGS} and file.is_file():
                yield file


def _read(file: Path, shown: str, commands: az.Commands) -> FileReport | None:
    kind = file.suffix.lower()
    try:
        if file.stat().st_size > _LARGEST:
            return None
        text = text_of(file.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        return FileReport(path=shown, kind="script", findings=[], problem=str(error)) if kind == ".py" else None
    if kind == ".py":
        return _script(text, shown, commands)
    if kind == ".ipynb":
        return _notebook(text, shown, commands)
    if kind in _SETTINGS:
        found = files.read(file, shown)
        if found is not None:
            return found
    lines = az.read(text, commands)
    return FileReport(path=shown, kind="commands", findings=lines) if lines else None


def _script(text: str, shown: str, commands: az.Commands) -> FileReport | None:
    if "azureml" not in text and "az ml" not in text and "def init(" not in text:
        return None
    try:
        tree = _parse(text)
    except SyntaxError as error:
        if "azureml" not in text:
            return None
        why = f"line {error.lineno}: {error.msg} (Python 3 cannot read it)"
        return FileReport(path=shown, kind="script", findings=[], problem=why)
    entry = is_entry_script(tree)
    reader = Reader(entry_script=entry)
    reader.read(tree)
    if entry and not any(finding.verdict != RUNS for finding in reader.findings):
        reader.findings.insert(0, Finding(line=1, what="init() and run()", verdict=RUNS, message="an entry script"))
    return FileReport(path=shown, kind="entry script" if entry else "script", findings=reader.findings)


def _notebook(text: str, shown: str, commands: az.Commands) -> FileReport | None:
    if "azureml" not in text and "az ml" not in text:
        return None
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError) as error:
        return FileReport(path=shown, kind="notebook", findings=[], problem=f"it is no notebook: {error}")
    reader = Reader()
    findings: list[Finding] = []
    problems = []
    for number, cell in enumerate((cell for cell in cells if cell.get("cell_type") == "code"), start=1):
        source = cell.get("source", "")
        source = source if isinstance(source, str) else "".join(source)
        findings += az.read(source, commands, number)
        first = source.lstrip().split("\n", 1)[0]
        if first.startswith("%%") and not re.match(r"%%(time|timeit|capture|prun)\b|%%(writefile|file)\b.*\.py", first):
            continue  # another language, or a file that is none of Python's
        code = _without_magics(source)
        reader.cell = number
        try:
            tree = _parse(code)
            if first.startswith(("%%writefile", "%%file")):  # a file of its own: the notebook's names are not there
                own = Reader(entry_script=is_entry_script(tree))
                own.cell = number
                own.read(tree)
                findings += own.findings
            else:
                reader.read(tree)
        except SyntaxError as error:
            problems.append(f"cell {number}, line {error.lineno}: {error.msg}")
    findings = sorted([*findings, *reader.findings], key=lambda one: (one.cell or 0, one.line))
    return FileReport(path=shown, kind="notebook", findings=findings, problem="; ".join(problems))


def _without_magics(source: str) -> str:
    """A cell with its magics as empty lines, so that line numbers stay; a command may go on over several."""
    lines, goes_on = [], False
    for line in source.splitlines():
        continued, magic = goes_on, goes_on or bool(_MAGIC.match(line))
        goes_on = magic and line.rstrip().endswith("\\")
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(line if not magic else "" if continued or not indent else f"{indent}pass")
    return "\n".join(lines)


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in somebody's string is none of our findings
        try:
            return ast.parse(text)
        except (ValueError, RecursionError) as error:
            raise SyntaxError(str(error)) from None

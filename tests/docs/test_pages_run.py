"""Every snippet in the README and in docs/ is run, so that none can drift from the product (pains 26 and 53).

How a fenced block is read: one whose info string has ``title="name"`` is a file and is written; ``python`` is executed,
all of a page's blocks in one namespace; in ``console`` every line that starts with ``$ `` is run in bash and has to
succeed (or to end with 9, after ``exit=9``), and what it sets (folder, variables, an activated environment) holds for
what follows; where the lines below it are JSON, that is what it has to print; ``sh`` is for what cannot be run inside
a test (installing, make) and may hold nothing else.

The README is run as a newcomer runs it: with a Python and nothing in it, an empty home, no environment but the one that
the page makes. The other pages find Sendoff installed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import environment_cache
import pytest
from api.running import end_everything
from e2e.test_clean_install import interpreter

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").glob("*.md") if p.name not in {"cli.md", "errors.md"})]
PAGES += sorted((ROOT / "examples").glob("*/README.md"))
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
EXIT = re.compile(r"exit=(\d+)")
NOT_RUN = re.compile(r"^(#.*|make \w[\w-]*|git clone .*|cd \S+|pip install .*|uv pip install .*|export \S+|)$")


def blocks(page: Path) -> list[tuple[str, str | None, str, int, int]]:
    """(language, file title, body, line, exit code) of every fenced block."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        info = match["info"].strip()
        title = TITLE.search(info)
        line = text[: match.start()].count("\n") + 2
        code = EXIT.search(info)
        found.append(
            (info.split(" ")[0], title[1] if title else None, match["body"], line, int(code[1]) if code else 0)
        )
    return found


def title(page: Path) -> str:
    """What a page's test is called."""
    return f"{page.parent.name}-{page.name}" if page.name == "README.md" and page.parent != ROOT else page.name


RUNNABLE = [p for p in PAGES if any(lang in ("python", "console") and not title for lang, title, *_ in blocks(p))]

# Reads one JSON line a block, runs it in the page's namespace, answers with the traceback or null.
DRIVER = """
import contextlib, io, json, os, sys, traceback
space = {'__name__': 'page'}
for line in sys.stdin:
    code, where, folder = json.loads(line)
    failure, out = None, io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(code, where, 'exec'), space)
    except BaseException:
        failure = out.getvalue() + traceback.format_exc()
    print(json.dumps(failure), flush=True)
"""


class Reader:
    """Somebody who types a page's blocks: one shell, and one Python that the shell finds when it is first needed."""

    def __init__(self, folder: Path, env: dict[str, str], after: Path) -> None:
        self.folder, self.env = folder, env
        self._after = after
        self._python: subprocess.Popen[str] | None = None

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def type(self, command: str, shown: str, where: str, code: int) -> None:
        done = subprocess.run(
            ["bash", "-c", f"{command}\n{{ code=$?; env -0; pwd; }} > {self._after}; exit $code"],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert done.returncode == code, f"{where}: {command}\n{done.stdout}\n{done.stderr}"
        if (answer := _json(shown)) is not None:
            numbers = isinstance(answer, list) and all(isinstance(one, int | float) for one in answer)
            wanted = pytest.approx(answer) if numbers else answer
            assert _json(done.stdout) == wanted, f"{where}: {command} printed\n{done.stdout}"
        *variables, folder = self._after.read_text().split("\0")
        self.env = dict(one.split("=", 1) for one in variables)
        self.folder = Path(folder.strip())

    def run(self, code: str, where: str) -> None:
        if self._python is None:
            python = shutil.which("python", path=self.env["PATH"]) or "python3"
            self._python = subprocess.Popen(
                [python, "-c", DRIVER], env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        self._python.stdin.write(json.dumps([code, where, str(self.folder)]) + "\n")
        self._python.stdin.flush()
        failure = json.loads(self._python.stdout.readline())
        assert failure is None, f"{where}\n{failure}"

    def leave(self) -> None:
        if self._python is not None:
            assert self._python.stdin is not None
            self._python.stdin.close()
            self._python.kill()
            self._python.wait()


def user(page: Path, tmp_path: Path) -> Reader:
    """Somebody who has Sendoff, in an empty folder."""
    home = tmp_path / "home"
    if not re.search(r"^\$ sendoff gc(?! --dry-run)", page.read_text(encoding="utf-8"), re.MULTILINE):
        environment_cache.share(home)
    work = tmp_path / "work"
    if page.is_relative_to(ROOT / "examples"):  # an example is run in a copy of its folder
        shutil.copytree(page.parent, work)
    else:
        work.mkdir()
    env = {**os.environ, "SENDOFF_HOME": str(home), "COLUMNS": "120"}
    env["PYTHONPATH"] = str(ROOT / "packages" / "azureml" / "src")  # as `pip install sendoff-azureml` has it
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    return Reader(work, env, tmp_path / "after")


def newcomer(tmp_path: Path) -> Reader:
    """Somebody with a copy of the repository, a Python without packages and nothing else of ours."""
    copy, tools = tmp_path / "sendoff", tmp_path / "bin"
    for package in ("sendoff", "serving"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "packages" / package, copy / "packages" / package, ignore=ignored)
    environment_cache.share(tmp_path / ".sendoff")  # what services need is built once for all tests
    tools.mkdir()
    (tools / "python3").symlink_to(interpreter("3.11") or Path(sys.executable).resolve())
    told = ("PIP_", "SSL_", "UV_", "http", "no_proxy", "HTTP", "NO_PROXY")  # the way to the package index
    cached = {f"{tool.upper()}_CACHE_DIR": str(Path.home() / ".cache" / tool) for tool in ("pip", "uv")}
    env = {
        "PIP_NO_COMPILE": "0",  # pip reads this one the other way round: 0 is --no-compile
        **cached,
        **{name: value for name, value in os.environ.items() if name.startswith(told)},
    }
    return Reader(copy, {**env, "HOME": str(tmp_path), "PATH": f"{tools}:/usr/bin:/bin"}, tmp_path / "after")


@pytest.mark.slow
@pytest.mark.timeout(600)  # the newcomer installs everything twice, as newcomers do
@pytest.mark.parametrize("page", RUNNABLE, ids=title)
def test_every_snippet_of_the_page_runs_in_reading_order(page: Path, tmp_path: Path) -> None:
    reader = newcomer(tmp_path) if page == ROOT / "README.md" else user(page, tmp_path)
    try:
        for language, title, body, line, code in blocks(page):
            where = f"{page.name}:{line}"
            if title:
                reader.write(title, body)
            elif language == "python":
                reader.run(body, where)
            elif language == "console":
                for command, shown in COMMAND.findall(body):
                    reader.type(command, shown, where, code)
    finally:
        reader.leave()
        _end_services(Path(reader.env.get("SENDOFF_HOME", tmp_path / ".sendoff")), page)


def _json(text: str) -> Any:
    """What a text says as JSON; None where it is something else."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _end_services(home: Path, page: Path) -> None:
    if not (home / "sendoff.db").exists():
        return
    if page != ROOT / "README.md":
        end_everything(home)
    else:  # as `make quickstart-stop` does
        stop = ROOT / "examples" / "quickstart" / "stop.py"
        subprocess.run([sys.executable, str(stop)], env={**os.environ, "SENDOFF_HOME": str(home)}, timeout=120)


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_blocks_that_are_not_run_hold_only_what_a_test_cannot_do(page: Path) -> None:
    for language, title, body, line, _ in blocks(page):
        if language == "sh" and not title:
            for command in body.splitlines():
                assert NOT_RUN.match(command.strip()), (
                    f"{page.name}:{line}: {command!r} could be run: use a console block"
                )


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_links_to_other_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: link to {target} leads nowhere"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "docs" / "cli.md", ROOT / "docs" / "errors.md"], ids=title)
def test_pages_name_no_paper_that_users_do_not_have(page: Path) -> None:
    if page.name != "architecture.md":
        papers = r"\b(spec/\w+\.md|settled\.md|design\.md|house\.md|faults\.md|surface\.md|behaviour\.md)"
        assert not re.findall(papers, page.read_text(encoding="utf-8"))

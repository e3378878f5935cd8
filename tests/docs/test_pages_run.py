"""Every snippet in the README and in docs/ is run, so that none can drift from the product (pains 26 and 53).

How a fenced block is read: one whose info string has ``title="name"`` is a file and is written; ``python`` is executed,
all of a page's blocks in one namespace; in ``console`` every line that starts with ``$ `` is run in bash and has to
succeed (or to end with 9, after ``exit=9``); ``sh`` is for what cannot be run inside a test (installing, make) and may
hold nothing else.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import environment_cache
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").glob("*.md") if p.name not in {"cli.md", "errors.md"})]
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
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


RUNNABLE = [p for p in PAGES if any(lang in ("python", "console") and not title for lang, title, *_ in blocks(p))]

# Reads one JSON line a block, runs it in the page's namespace, answers with the traceback or null.
DRIVER = """
import contextlib, io, json, sys, traceback
space = {'__name__': 'page'}
for line in sys.stdin:
    code, where = json.loads(line)
    failure, out = None, io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(code, where, 'exec'), space)
    except BaseException:
        failure = out.getvalue() + traceback.format_exc()
    print(json.dumps(failure), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda p: p.name)
def test_every_snippet_of_the_page_runs_in_reading_order(page: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    if not re.search(r"^\$ sendoff gc(?! --dry-run)", page.read_text(encoding="utf-8"), re.MULTILINE):
        environment_cache.share(home)
    work = tmp_path / "work"
    work.mkdir()
    env = {**os.environ, "SENDOFF_HOME": str(home), "COLUMNS": "120"}
    env["PYTHONPATH"] = str(ROOT / "packages" / "azureml" / "src")  # as `pip install sendoff-azureml` has it
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER], cwd=work, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert driver.stdin is not None
    assert driver.stdout is not None
    try:
        for language, title, body, line, code in blocks(page):
            where = f"{page.name}:{line}"
            if title:
                (work / title).parent.mkdir(parents=True, exist_ok=True)
                (work / title).write_text(body, encoding="utf-8")
            elif language == "python":
                driver.stdin.write(json.dumps([body, where]) + "\n")
                driver.stdin.flush()
                failure = json.loads(driver.stdout.readline())
                assert failure is None, f"{where}\n{failure}"
            elif language == "console":
                for command in re.findall(r"^\$ (.*)$", body, re.MULTILINE):
                    done = subprocess.run(
                        ["bash", "-c", command], cwd=work, env=env, capture_output=True, text=True, timeout=280
                    )
                    assert done.returncode == code, f"{where}: {command}\n{done.stdout}\n{done.stderr}"
    finally:
        driver.stdin.close()
        driver.kill()
        driver.wait()
        _end_services(home)


def _end_services(home: Path) -> None:
    if (home / "sendoff.db").exists():
        stop = ROOT / "examples" / "quickstart" / "stop.py"
        subprocess.run([sys.executable, str(stop)], env={**os.environ, "SENDOFF_HOME": str(home)}, timeout=120)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_blocks_that_are_not_run_hold_only_what_a_test_cannot_do(page: Path) -> None:
    for language, title, body, line, _ in blocks(page):
        if language == "sh" and not title:
            for command in body.splitlines():
                assert NOT_RUN.match(command.strip()), (
                    f"{page.name}:{line}: {command!r} could be run: use a console block"
                )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_to_other_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: link to {target} leads nowhere"

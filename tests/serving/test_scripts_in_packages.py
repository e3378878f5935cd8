"""Scripts that import what lies beside them by a dot (F16)."""

from __future__ import annotations

import pytest

from .running import Server, write_script

SCRIPT = """
from .helper import clean
from . import helper
def init(): pass
def run(data): return [clean(data), helper is __import__("sys").modules[clean.__module__]]
"""
HELPER = "def clean(text): return text.strip()\n"


def root(tmp_path, files: dict[str, str], entry: str, start, **more) -> Server:
    for name, text in files.items():
        write_script(tmp_path, text, name)
    return start("--app-root", tmp_path, "--entry-script", tmp_path / entry, cwd=tmp_path, **more)


@pytest.mark.parametrize("folder", ["code", "test", "scoring"])  # two of them are Python's own names
def test_where_the_folder_is_a_package_it_works(tmp_path, start, folder) -> None:
    files = {f"{folder}/score.py": SCRIPT, f"{folder}/helper.py": HELPER, f"{folder}/__init__.py": ""}
    assert root(tmp_path, files, f"{folder}/score.py", start).score(" x ").json == ["x", True]


def test_packages_within_packages_and_two_dots(tmp_path, start) -> None:
    script = """
    from ..common.helper import clean
    from ..common import NAME
    import multiprocessing
    def init(): pass
    def run(data):
        with multiprocessing.get_context("spawn").Pool(1) as pool: return [*pool.map(clean, [data]), NAME, __package__]
    """
    files = {
        "code/__init__.py": "",
        "code/common/__init__.py": "NAME = __name__",
        "code/common/helper.py": HELPER,
        "code/online/__init__.py": "",
        "code/online/score.py": script,
    }
    found = root(tmp_path, files, "code/online/score.py", start).score(" x ").json
    assert found == ["x", "entry_package.common", "entry_package.online"]


def test_one_module_whichever_way_it_is_imported(tmp_path, start) -> None:
    script = """
    from .helper import clean
    import scoring.helper
    def init(): pass
    def run(data): return scoring.helper.clean is clean
    """
    files = {"scoring/score.py": script, "scoring/helper.py": HELPER, "scoring/__init__.py": ""}
    assert root(tmp_path, files, "scoring/score.py", start).score("x").json is True


def test_a_package_that_is_not_needed_is_not_imported(tmp_path, start) -> None:
    files = {"code/__init__.py": "raise RuntimeError", "code/helper.py": HELPER, "code/score.py": SCRIPT}
    files["code/score.py"] = "from helper import clean\ndef init(): pass\ndef run(data): return clean(data)\n"
    assert root(tmp_path, files, "code/score.py", start).score(" x").json == "x"


def test_where_it_is_none_the_hint_says_what_to_write(tmp_path, start) -> None:
    files = {"code/score.py": SCRIPT, "code/helper.py": HELPER}
    server = root(tmp_path, files, "code/score.py", start, wait=False)
    assert server.wait_end() == 3
    assert "write 'from helper import clean'" in server.log and "__init__.py" in server.log

"""Models that the environment cannot read: told when they are deployed, by the table of known causes (F17, F63)."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from sendoff_serving.worker import model_hints

from .interpreters import environment
from .running import write_script

OLD = ("3.9", "joblib==1.1.0", "numpy==1.24.4")
PICKLE = "pickle.load(open('m/model.pkl', 'rb'))"
JOBLIB = "joblib.load('m/model.pkl')"
SCRIPT = """
import pickle
{imports}
def init():
    global model
    model = {load}
def run(data): return 1
"""
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.mark.parametrize("row", model_hints.KNOWN, ids=lambda row: row.example[:50])
def test_each_row_is_what_its_own_example_finds(row) -> None:
    modules = [row.within.split("|")[0]] if row.within else []
    assert model_hints.find(row.example, modules) is row
    assert row.cause[0].islower() and not row.write.endswith(".")


@pytest.mark.parametrize(
    ("raised", "package"),
    [
        # joblib#1233, scikit-learn#16840, #23356, #19605, #12900, polymarket-bot#48
        ("ModuleNotFoundError: No module named 'sklearn.linear_model.logistic'", "sklearn"),
        ("ModuleNotFoundError: No module named 'sklearn.preprocessing._label'", "sklearn"),
        ("ModuleNotFoundError: No module named 'sklearn.metrics._scorer'", "sklearn"),
        ("ModuleNotFoundError: No module named '_loss'", "sklearn"),
        ("ModuleNotFoundError: No module named 'numpy._core.numeric'", "numpy"),
    ],
)
def test_what_people_reported(raised: str, package: str) -> None:
    row = model_hints.find(raised, ["pickle"])
    assert row is not None and row.package == package


@pytest.mark.parametrize("text", ["KeyError: 'columns'", "KeyError: 30", "ValueError: bad", "EOFError: at line 3"])
def test_what_the_script_itself_raises_is_not_taken_for_it(text) -> None:
    assert model_hints.find(text, ["entry_module"]) is None


def written_by_new_joblib(folder: Path) -> bytes:
    python = environment(f"{sys.version_info[0]}.{sys.version_info[1]}", "joblib", "numpy")
    code = "import joblib, numpy; joblib.dump([numpy.arange(9.0), 1], 'new.pkl')"
    subprocess.run([python, "-c", code], cwd=folder, check=True)
    return (folder / "new.pkl").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("python", "content", "load", "cause", "write"),
    [
        (OLD, written_by_new_joblib, JOBLIB, "newer joblib than the environment has", "joblib>=1.2"),
        (OLD, LFS, JOBLIB, "pointer of Git LFS", "git lfs pull"),
        (("3.6",), pickle.dumps([1], protocol=5), PICKLE, "Python 3.6): ", "write python=3.8"),
        (OLD, b"cnumpy._core.multiarray\n_reconstruct\n.", PICKLE, "the environment has numpy 1.24.4", "numpy>=2"),
        (OLD, b"csklearn.linear_model.base\nX\n.", PICKLE, "", "add it to the environment"),
        (OLD, LFS, PICKLE, "pointer of Git LFS", "git lfs pull"),
        (OLD, b"<!DOCTYPE html>", PICKLE, "a page of HTML", "fetch the file again"),
        (OLD, b"", PICKLE, "empty or cut off", "register the model again"),
        (OLD, pickle.dumps(list(range(999)))[:-50], PICKLE, "empty or cut off", "register the model again"),
        (OLD, b"", "numpy.bool", "a name that numpy has dropped", "numpy<1.24"),
    ],
    ids=["joblib", "lfs, joblib", "protocol", "numpy", "no sklearn", "lfs", "html", "empty", "cut", "numpy.bool"],
)
def test_a_model_that_cannot_be_read_is_told_with_what_to_write(
    tmp_path, start, python, content, load, cause, write
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.pkl").write_bytes(content(tmp_path) if callable(content) else content)
    imports = "import joblib, numpy" if python is OLD else ""
    script = write_script(tmp_path, SCRIPT.format(imports=imports, load=load))
    server = start("--entry-script", script, "--python", environment(*python), wait=False)
    assert server.wait_end() == 3, server.log
    hints = [line for line in server.lines if "Hint: " in line]
    assert len(hints) == 1 and cause in hints[0] and write in hints[0], server.log

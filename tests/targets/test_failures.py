"""What is advised when a script cannot import a module."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.spec.inference import SourceSpec
from sendoff.spec.model import ManifestFile
from sendoff.targets.failures import failure, in_own_terms


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ModuleNotFoundError: No module named 'numpy._core'", "written with numpy 2"),
        ("ModuleNotFoundError: No module named 'sklearn.externals'", "'sklearn' is there, but not this part"),
        ("ModuleNotFoundError: No module named 'pandas'", ""),
        ("ModuleNotFoundError: No module named 'azureml.train'", ""),
        ("ValueError: No module named 'pandas.x'", ""),
    ],
)
def test_a_missing_module_is_advised_on(words: str, expected: str) -> None:
    error = failure({"code": "script_failed", "message": f"User's init function failed: {words}"}, "")
    assert expected in error.hint and bool(error.hint) == bool(expected)


def test_a_hint_of_the_target_stands() -> None:
    given = {"code": "script_failed", "message": "ModuleNotFoundError: No module named 'x'", "hint": "look there"}
    assert failure(given, "").hint == "look there"


BUNDLE = f"/home/me/.sendoff/bundles/{'0f' * 32}/app"


@pytest.mark.parametrize("root", [BUNDLE, "/var/azureml-app"])
@pytest.mark.parametrize(("folder", "path"), [(None, "score.py"), ("src", "src/score.py"), ("src", "src/a/b.py")])
def test_a_traceback_names_the_users_own_file(root: str, folder: str | None, path: str) -> None:
    source = SourceSpec(
        entry_script=path,
        source_directory=folder,
        files=[ManifestFile(path=path, digest="sha256:0", size=1)],
        origin="/home/me/project/src" if folder else "/home/me/project",
    )
    trace = f'  File "{root}/{path}", line 3, in init\n  File "{root}/other.py", line 1, in x\n  File "/usr/lib/y.py"\n'
    error = in_own_terms(failure({"code": "script_failed", "message": "x", "traceback": trace}, ""), source, [])
    assert f'File "{Path("/home/me/project", path)}", line 3' in error.context["traceback"]
    assert f'File "{root}/other.py"' in error.context["traceback"], "what is no file of the user's stays as it is"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rigde.pkl", "Did you mean 'ridge.pkl'? The models' files: m/ridge.pkl, m/scaler.joblib."),
        ("scaler.joblib", "The model has 'm/scaler.joblib', below the folder that AZUREML_MODEL_DIR names."),
        ("weights.bin", "The models' files: m/ridge.pkl, m/scaler.joblib."),
    ],
)
def test_a_wrong_name_of_a_models_file_is_answered_with_the_right_one(name: str, hint: str) -> None:
    message = f"init() failed: FileNotFoundError: [Errno 2] No such file or directory: '{BUNDLE}/x/{name}'"
    source = SourceSpec(entry_script="score.py", source_directory=None, files=[])
    given = failure({"code": "script_failed", "message": message}, "")
    assert in_own_terms(given, source, ["m/ridge.pkl", "m/scaler.joblib"]).hint == hint

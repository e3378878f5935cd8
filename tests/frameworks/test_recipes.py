"""What a model without code is made into: versions, Pythons and packages, decided before anything starts."""

from __future__ import annotations

import json
import pickle
import subprocess
from pathlib import Path

import environment_cache
import pytest

import sendoff.frameworks.scoring
from sendoff.errors import InvalidInput, NotSupported
from sendoff.frameworks.compose import compose
from sendoff.frameworks.modules import packages_for
from sendoff.frameworks.versions import choose_python, release_of
from sendoff.registry import Registry
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.inference import SourceSpec
from sendoff.spec.model import ManifestFile, Model, PickleFinding, RegisterModel, ScanReport
from sendoff.spec.parse import replace
from sendoff.spec.settings import Settings
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import open_store

HERE = ["3.6.15", "3.7.16", "3.9.18", "3.11.7", "3.13.0"]


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "home")


CONTENTS = {"TensorFlow": b"\x08\x01\x12\x01g", "Onnx": b"\x08\x07\x3a\x01g"}
PICKLE = pickle.dumps(Path("an object of a class"))


def model(store, framework="ScikitLearn", path="m.pkl", **facts) -> Model:
    """A registered model with some of its facts as a test wants them."""
    digest, size = store.blobs.put_bytes(CONTENTS.get(framework, PICKLE))
    files = [ManifestFile(path=path, digest=digest, size=size)]
    registry = Registry(store)
    if "ws" not in [one.name for one in registry.workspaces()]:
        registry.create_workspace(CreateWorkspace(name="ws"))
    view = registry.register("ws", RegisterModel(name="m", files=files, framework=framework))
    return replace(view, **{"scan": ScanReport(verdict="none"), "detected": {}, **facts})


def made(store, *models, settings=None, **more):
    found, notes = compose(models, blobs=store.blobs, settings=settings or Settings(), pythons=lambda: HERE, **more)
    config = next(file for file in found.source.files if file.path == "sendoff_no_code/model.json")
    return found.environment.python, json.loads(store.blobs.read_bytes(config.digest)), " ".join(notes)


@pytest.mark.parametrize(
    ("version", "python", "beside"),
    [
        ("0.18.2", "3.6", "numpy<1.17"),
        ("0.20.0", "3.7", "numpy<1.20"),
        ("0.23.2", "3.7", "numpy<1.24"),
        ("1.0.2", "3.9", "scipy<1.11"),
        ("1.3.2", "3.11", "numpy<2"),
        ("1.9.1", "3.13", None),
    ],
)
def test_each_scikit_learn_gets_a_python_and_a_numpy_that_it_runs_on(store, version, python, beside) -> None:
    spec, config, notes = made(store, model(store, detected={"scikit-learn": version}))
    assert spec.conda_packages == [f"python={python}"]
    assert f"scikit-learn=={version}" in spec.pip_packages
    assert beside is None or beside in spec.pip_packages
    assert (config["framework"], config["framework_version"]) == ("scikit-learn", version)
    assert f"on Python {python}" in notes


@pytest.mark.parametrize(
    ("version", "package", "python"),
    [
        ("1.14.0", "tensorflow==1.14.0", "3.7"),
        ("1.15.0", "tensorflow-cpu==1.15.0", "3.7"),
        ("2.11.1", "tensorflow-cpu==2.11.1", "3.9"),
        ("2.21.0", "tensorflow-cpu==2.21.0", "3.13"),
        (None, "tensorflow-cpu", "3.13"),
    ],
)
def test_each_tensorflow_has_the_package_without_graphics_cards_that_there_is(store, version, package, python) -> None:
    detected = {} if version is None else {"tensorflow": version}
    spec, _, _ = made(store, model(store, "TensorFlow", "m/saved_model.pb", detected=detected))
    assert spec.pip_packages[0] == package
    assert spec.conda_packages == [f"python={python}"]


def test_the_python_that_registered_is_taken_where_it_can_be(store) -> None:
    facts = {"scikit-learn": "1.9.1", "python": "3.11.4"}
    assert made(store, model(store, detected=facts))[0].conda_packages == ["python=3.11"]
    assert made(store, model(store, detected={**facts, "scikit-learn": "0.20.0"}))[0].conda_packages == ["python=3.7"]
    newest = release_of("scikit-learn", None, "")
    assert choose_python(newest, None, []) == newest.high


def test_the_file_stands_over_the_label_and_the_unknown_is_said(store) -> None:
    spec, _, notes = made(store, model(store, framework_version="0.19.1", detected={"scikit-learn": "1.7.2"}))
    assert "scikit-learn==1.7.2" in spec.pip_packages
    assert "labelled scikit-learn 0.19.1, but its file was made by 1.7.2" in notes
    spec, _, notes = made(store, model(store, framework_version="1.7", detected={"scikit-learn": "1.7.2"}))
    assert "labelled" not in notes
    spec, _, notes = made(store, model(store))
    assert "scikit-learn" in spec.pip_packages
    assert "is unknown: the newest is used" in notes


def test_a_release_that_cannot_be_had_is_an_error_that_says_what_can(store) -> None:
    with pytest.raises(InvalidInput, match=r"the oldest that runs here is 0\.18"):
        made(store, model(store, framework_version="0.16.1"))
    with pytest.raises(InvalidInput, match="which is no version"):
        made(store, model(store, framework_version="latest"))
    with pytest.raises(InvalidInput, match="0 are given"):
        made(store)
    with pytest.raises(InvalidInput, match="more than one file"):
        files = [ManifestFile(path=path, digest="sha256:" + "0" * 64, size=1) for path in ("a.pkl", "b.pkl")]
        made(store, model(store, files=files))
    with pytest.raises(InvalidInput, match="cannot be served without code") as caught:
        made(store, model(store, "Custom", "net.onnx"))
    assert "'Onnx'" in caught.value.hint
    with pytest.raises(NotSupported, match="no SavedModel") as caught:
        made(store, model(store, "TfKeras", "m.keras"))
    assert "model.export" in caught.value.hint
    with pytest.raises(InvalidInput, match="is a pickle"):
        made(store, model(store, "PyTorch", "m.pkl"))


def scanned(*names: str) -> ScanReport:
    return ScanReport(
        verdict="unknown", findings=[PickleFinding(path="m.pkl", imported=name, verdict="unknown") for name in names]
    )


def test_what_a_pickle_imports_is_installed_or_named(store) -> None:
    spec, _, _ = made(
        store,
        model(store, scan=scanned("sklearn.pipeline.Pipeline", "xgboost.sklearn.XGBClassifier", "imblearn.pipeline.P")),
    )
    assert {"xgboost-cpu", "imbalanced-learn"} <= set(spec.pip_packages)
    with pytest.raises(InvalidInput, match="module 'ourcompany'"):
        made(store, model(store, scan=scanned("ourcompany.features.Encoder")))
    with pytest.raises(InvalidInput, match="training script itself defined") as caught:
        made(store, model(store, scan=scanned("__main__.Encoder")))
    assert "hooks" in caught.value.hint
    assert packages_for(["__main__.A", "mine.B"], ["mine"], where="m", hooks=True) == []


def test_a_users_environment_and_hooks_are_added_to_not_replaced(store) -> None:
    digest, size = store.blobs.put_bytes(b"def preprocess(data): return data\n")
    hooks = SourceSpec(
        entry_script="src/hooks.py",
        source_directory="src",
        files=[ManifestFile(path=f"src/{name}", digest=digest, size=size) for name in ("hooks.py", "ours.py")],
    )
    own = EnvironmentSpec(name="own", python=PythonSpec(pip_packages=["scikit-learn==1.6.1", "requests"]))
    one = model(store, detected={"scikit-learn": "1.9.1"}, scan=scanned("ours.Thing"))
    spec, config, _ = made(store, one, hooks=hooks, environment=own)
    assert spec.pip_packages == ["scikit-learn==1.6.1", "requests", "joblib", "pandas"]
    assert spec.conda_packages == ["python=3.13"]
    assert config["hooks"] == "src/hooks.py"


@pytest.mark.parametrize("policy", ["deny", "allow-list"])
def test_the_pickle_policy_is_kept_before_and_at_loading(store, policy) -> None:
    safe = scanned("sklearn.linear_model._base.LinearRegression")
    settings = Settings(pickle_policy=policy)
    _, config, _ = made(store, model(store, scan=safe), settings=settings)
    assert config["imports"] == ["sklearn.linear_model._base.LinearRegression"]
    bad = ScanReport(
        verdict="dangerous", findings=[PickleFinding(path="m.pkl", imported="os.system", verdict="dangerous")]
    )
    with pytest.raises(InvalidInput, match=r"imports os\.system"):
        made(store, model(store, scan=bad), settings=settings)
    unreadable = ScanReport(verdict="unreadable", detail="m.pkl: cut off")
    with pytest.raises(InvalidInput, match="cut off"):
        made(store, model(store, scan=unreadable), settings=settings)
    unknown = scanned("imblearn.over_sampling.helper")
    if policy == "allow-list":
        with pytest.raises(InvalidInput) as caught:
            made(store, model(store, scan=unknown), settings=settings)
        assert "pickle_allow" in caught.value.hint
        settings = replace(settings, pickle_allow=["imblearn"])
    assert made(store, model(store, scan=unknown), settings=settings)[1]["imports"]
    assert made(store, model(store, scan=bad))[1]["imports"] is None  # the default: said at registration, not refused


def test_a_loader_under_a_policy_imports_nothing_else(tmp_path, monkeypatch) -> None:
    import sys
    from importlib import util

    spec = util.spec_from_file_location(
        "pickles_of_no_code", Path(sendoff.frameworks.scoring.__file__).parent / "pickles.py"
    )
    pickles = util.module_from_spec(spec)
    spec.loader.exec_module(pickles)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Path("a")))
    name = f"{type(Path()).__module__}.{type(Path()).__name__}"
    assert pickles.load(str(tmp_path / "m.pkl"), {"imports": [name]}) == Path("a")
    with pytest.raises(pickles.Refused, match="does not allow"):
        pickles.load(str(tmp_path / "m.pkl"), {"imports": ["sklearn.base.X"]})
    assert pickles.load(str(tmp_path / "m.pkl"), {"imports": None}) == Path("a")
    assert "pickles_of_no_code" not in sys.modules


SIGNATURE = json.dumps([{"type": "long", "name": "a", "required": True}])


@pytest.mark.parametrize(
    ("flavor", "function", "signature", "native"),
    [
        ({"sklearn": {"sklearn_version": "1.7.2"}}, {}, {"inputs": SIGNATURE}, "sklearn"),
        ({"sklearn": {"sklearn_version": "1.7.2"}}, {"predict_fn": "predict_proba"}, None, "sklearn"),
        ({"sklearn": {"sklearn_version": "1.7.2"}}, {"predict_fn": "score"}, None, None),
        ({"sklearn": {"sklearn_version": "1.7.2", "serialization_format": "skops"}}, {}, None, None),
        ({"sklearn": {"sklearn_version": "1.7.2"}}, {"code": "code"}, None, None),
        ({"sklearn": {"sklearn_version": "1.7.2"}}, {}, {"inputs": SIGNATURE.replace("long", "array")}, None),
        ({"sklearn": {"sklearn_version": "1.7.2"}}, {}, {"inputs": SIGNATURE, "params": "[{}]"}, None),
        ({"xgboost": {"xgb_version": "3.2.0", "model_class": "xgboost.core.Booster"}}, {}, None, "xgboost"),
        ({"xgboost": {"xgb_version": "3.2.0", "model_class": "xgboost.sklearn.XGBClassifier"}}, {}, None, "xgboost"),
        ({"xgboost": {"xgb_version": "3.2.0", "model_class": "ours.Own"}}, {}, None, None),
    ],
)
def test_what_a_folder_states_beyond_its_flavour_is_applied_or_left_to_mlflow(
    store, flavor, function, signature, native
) -> None:
    text = {
        "flavors": {**flavor, "python_function": {"loader_module": "m", **function}},
        "mlflow_version": "3.17.2",
        "signature": signature,
    }
    digest, size = store.blobs.put_bytes(json.dumps(text).encode())
    files = [ManifestFile(path="m/MLmodel", digest=digest, size=size)]
    _, config, notes = made(store, model(store, "MLflow", files=files))
    assert config.get("native") == native
    assert config.get("method") == (function.get("predict_fn") if native else None)
    assert ("has no signature" in notes) == (native is None and signature is None)


def test_what_a_boosters_file_does_not_state_is_said(store) -> None:
    content = b'{"learner": {"feature_types": ["c", "float"]}, "version": [2, 1, 4]}'
    digest, size = store.blobs.put_bytes(content)
    files = [ManifestFile(path="m.json", digest=digest, size=size)]
    _, _, notes = made(store, model(store, "XGBoost", files=files, detected={"xgboost": "2.1.4"}))
    assert "send their codes" in notes
    assert "null and NaN are missing values" in notes
    _, _, notes = made(store, model(store, "XGBoost", files=files, detected={"xgboost": "3.2.0"}))
    assert "codes" not in notes


def test_what_runs_in_the_worker_parses_on_python_3_6() -> None:
    python = environment_cache.interpreter("3.6")
    folder = Path(sendoff.frameworks.scoring.__file__).parent
    code = "import ast, sys\nfor name in sys.argv[1:]: ast.parse(open(name, encoding='utf-8').read(), name)"
    subprocess.run([python, "-c", code, *map(str, sorted(folder.glob("*.py")))], check=True)


def test_files_state_their_versions_at_registration(store) -> None:
    registry = Registry(store)
    registry.create_workspace(CreateWorkspace(name="ws"))

    def registered(path: str, content: bytes, framework: str):
        digest, size = store.blobs.put_bytes(content)
        files = [ManifestFile(path=path, digest=digest, size=size)]
        return registry.register(
            "ws", RegisterModel(name="m", files=files, framework=framework, python_version="3.11.7")
        )

    mlmodel = b"""\
flavors:
  python_function: {python_version: 3.10.2}
  sklearn: {sklearn_version: 1.7.2}
mlflow_version: 3.1.0
"""
    found = registered("f/MLmodel", mlmodel, "MLflow")
    assert found.detected == {"mlflow": "3.1.0", "python": "3.10.2", "scikit-learn": "1.7.2"}
    assert found.framework_version == "3.1.0"
    found = registered("m.json", b'{"learner": {}, "version":[2,1,4]}', "XGBoost")
    assert found.detected == {"xgboost": "2.1.4", "python": "3.11.7"}
    assert found.framework_version == "2.1.4"
    # Nothing is believed of files that are not what their names say.
    for path in ("saved_model.pb", "m.onnx", "m.ubj", "MLmodel"):
        for content in (b"", b"\xff" * 40, b"a: [", b"\x12\xff\xff\xff\xff\x0f"):
            assert registered(path, content, "Custom").detected == {"python": "3.11.7"}, (path, content)

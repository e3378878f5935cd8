"""bundle.json: read strictly, every mistake told with file and member."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sendoff_serving import bundle
from sendoff_serving.errors import ServingError

SCRIPT = "def init(): pass\ndef run(x): return x\n"


def test_a_whole_bundle_is_read(make_bundle) -> None:
    folder = make_bundle(
        SCRIPT,
        service={"name": "n", "version": "2", "path_prefix": "/a/b/"},
        model_dir="azureml-models",
        models=[{"name": "m", "version": 1, "path": "azureml-models/m/1"}],
        environment={"variables": {"A": "b"}},
        serving={
            "workers": 3,
            "scoring_timeout_ms": 5,
            "max_request_wait_ms": 0,
            "max_queue": 0,
            "max_body_bytes": 9,
            "memory_limit_mb": 7,
            "nan": "null",
            "cors_origins": ["*"],
            "preload": True,
        },
    )
    read = bundle.load(folder)
    assert read.directory == folder and read.app_root == folder / "app"
    assert read.entry_script_path == folder / "app/src/score.py" and read.source_path == folder / "app/src"
    assert read.model_dir == str(folder / "app/azureml-models") and read.variables == {"A": "b"}
    assert read.service == bundle.Service(name="n", version="2", path_prefix="a/b")
    assert read.serving == bundle.Serving(
        workers=3,
        scoring_timeout_ms=5,
        max_request_wait_ms=0,
        max_queue=0,
        max_body_bytes=9,
        memory_limit_mb=7,
        nan="null",
        cors_origins=("*",),
        preload=True,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "has schema_version 2; this server reads version 1"),
        ({"schema_version": "1"}, "schema_version should be a whole number, not text"),
        ({"servce": {}}, "servce is not known; did you mean 'service'?"),
        ({"entry_script": None}, "entry_script should be text, not null"),
        ({"entry_script": "/etc/passwd"}, "entry_script should be a relative path inside the bundle"),
        ({"entry_script": "../x.py"}, "entry_script should be a relative path inside the bundle"),
        ({"entry_script": "nowhere.py"}, "entry_script names a file that is not there"),
        ({"app_root": "nowhere"}, "app_root names a folder that is not there"),
        ({"model_dir": "../x"}, "model_dir should be a relative path inside the bundle"),
        ({"service": {"nam": "x"}}, "service.nam is not known; did you mean 'name'?"),
        ({"serving": {"workers": 0}}, "serving.workers should be at least 1, not 0"),
        ({"serving": {"workers": True}}, "serving.workers should be a whole number, not true or false"),
        ({"serving": {"workers": 1.5}}, "serving.workers should be a whole number, not a fraction"),
        ({"serving": {"nan": "zero"}}, "serving.nan should be one of legacy, null, string, error, not 'zero'"),
        ({"serving": {"cors_origins": [1]}}, "serving.cors_origins should be a list of text"),
        ({"environment": {"variables": {"A": 1}}}, "environment.variables.A should be text"),
        ({"models": [{"name": "m"}]}, "models[0].version is missing"),
    ],
)
def test_mistakes_are_named(make_bundle, change, message) -> None:
    folder = make_bundle(SCRIPT, **change)
    with pytest.raises(ServingError) as caught:
        bundle.load(folder)
    assert message in caught.value.message
    assert str(folder / "bundle.json") in caught.value.message


def test_what_is_no_bundle_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match=r"is not a bundle: it has no bundle\.json"):
        bundle.load(tmp_path)
    (tmp_path / "bundle.json").write_text("{")
    with pytest.raises(ServingError, match="is not JSON"):
        bundle.load(tmp_path)
    (tmp_path / "bundle.json").write_bytes(b"\xff")
    with pytest.raises(ServingError, match="cannot be read"):
        bundle.load(tmp_path)
    (tmp_path / "bundle.json").write_text("[]")
    with pytest.raises(ServingError, match="should be an object, not a list"):
        bundle.load(tmp_path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(
    ["schema_version", "service", "app_root", "entry_script", "models", "model_dir", "environment", "serving", "x"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(names, values, max_size=9))
def test_any_json_is_read_or_refused_with_a_sentence(tmp_path: Path, content) -> None:
    base = {"schema_version": 1, "service": {"name": "x"}, "entry_script": "s.py"}
    for raw in (content, {**base, **content}):
        try:
            bundle.parse(json.loads(json.dumps(raw)), tmp_path)
        except ServingError as error:
            assert str(tmp_path) in error.message

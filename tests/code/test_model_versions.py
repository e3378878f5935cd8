"""Pins that leave out the version that made a model are said before anything is built, and refuse nothing."""

from __future__ import annotations

import pickle

import pytest
from deployment_rigs import WS, fake_rooms

from sendoff.code.checked_code import content
from sendoff.code.model_versions import version_notes
from sendoff.registry import Registry
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.model import ManifestFile, RegisterModel
from sendoff.spec.parse import replace
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import open_store


class Estimator:
    """As BaseEstimator states the release that pickles it."""

    def __getstate__(self):
        return {"coef": 1.5, "_sklearn_version": "1.7.2"}


def registered(registry, store):
    digest, size = store.blobs.put_bytes(pickle.dumps(Estimator()))
    body = RegisterModel(name="ridge", files=[ManifestFile(path="m.pkl", digest=digest, size=size)])
    return registry.register(WS, body)


@pytest.fixture
def ridge(tmp_path):
    store = open_store(tmp_path / "home")
    registry = Registry(store)
    registry.create_workspace(CreateWorkspace(name=WS))
    yield registered(registry, store)
    store.close()


def environment(*pip: str, conda: tuple[str, ...] = ()) -> EnvironmentSpec:
    return EnvironmentSpec(name="env", python=PythonSpec(pip_packages=list(pip), conda_packages=list(conda)))


@pytest.mark.parametrize(
    ("spec", "pin"),
    [
        (environment("scikit-learn==1.3.2"), "==1.3.2"),
        (environment("scikit_learn == 1.3.*"), "==1.3.*"),
        (environment("scikit-learn>=1.8"), ">=1.8"),
        (environment("scikit-learn", "--constraint scikit-learn<1.7"), "<1.7"),
        (environment(conda=("python=3.11", "scikit-learn=1.6")), "==1.6.*"),
    ],
)
def test_a_pin_that_leaves_the_version_out_is_a_note_with_both_versions(ridge, spec, pin) -> None:
    (note,) = version_notes([ridge], spec)
    assert "Model ridge:1 was made with scikit-learn 1.7.2" in note
    assert f"environment 'env' has scikit-learn{pin}:" in note
    assert "Give the environment scikit-learn==1.7.2" in note


@pytest.mark.parametrize(
    "spec",
    [
        environment("scikit-learn==1.7.2"),
        environment("scikit-learn"),
        environment("scikit-learn>=1.0,<2"),
        environment("numpy"),
        environment("scikit-learn @ https://example.org/scikit_learn-1.0-py3-none-any.whl"),
        environment("scikit-learn==1.3.2; python_version < '3.9'"),
        environment(conda=("python=3.11", "scikit-learn=1.7")),
        environment(conda=("scikit-learn=1.3|=1.7",)),
        environment("scikit-learn==one"),  # resolving says what is wrong
        replace(
            environment("scikit-learn==1.3.2"),
            python=PythonSpec(user_managed_dependencies=True, pip_packages=["scikit-learn==1.3.2"]),
        ),
    ],
)
def test_what_fits_or_is_not_known_is_no_note(ridge, spec) -> None:
    assert version_notes([ridge], spec) == []


def test_a_python_that_the_version_has_no_wheel_for_is_named(ridge) -> None:
    (note,) = version_notes([ridge], environment("scikit-learn==0.20", conda=("python=3.6",)))
    assert "a Python from 3.10 to 3.13 (it has 3.6)" in note


def test_the_other_frameworks_read_what_older_releases_wrote(ridge) -> None:
    booster = replace(ridge, detected={"xgboost": "2.1.4", "python": "3.11.7"})
    assert version_notes([booster], environment("xgboost==3.0.0")) == []
    assert version_notes([booster], environment("xgboost-cpu>=1.7")) == []
    (note,) = version_notes([booster], environment("xgboost-cpu==1.7.6"))
    assert "xgboost 2.1.4" in note
    assert "xgboost==1.7.6" in note


def test_check_and_deploy_say_it_and_go_on(rig) -> None:
    model = registered(rig.registry, rig.store)
    inference = rig.inference(environment=environment("scikit-learn==1.3.2", conda=("python=3.11",)))
    report = rig.deployments.deploy(WS, rig.body(models=[model.id], inference=inference, check=True))
    assert any("made with scikit-learn 1.7.2" in note for note in report.notes)
    operation = rig.deploy(models=[model.id], inference=inference)
    assert operation.state == "Succeeded"
    assert any("made with scikit-learn 1.7.2" in note for note in operation.notes)


def test_what_is_packaged_or_measured_says_it_too(rig) -> None:
    model = registered(rig.registry, rig.store)
    inference = rig.inference(environment=environment("scikit-learn==1.3.2", conda=("python=3.11",)))
    rooms = fake_rooms(rig.store)
    asked = content(rooms, WS, ["ridge"], inference)
    assert asked.models == [model.id]
    assert [note for note in asked.notes if "made with scikit-learn 1.7.2" in note]

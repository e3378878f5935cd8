"""What pip has to do for an environment: names and versions mapped, vendor packages out, gaps filled."""

import pytest

from sendoff.environments.conda_names import pip_name
from sendoff.environments.plan import make_plan, unmappable
from sendoff.environments.versions import alternatives
from sendoff.errors import InvalidInput
from sendoff.spec.environment import EnvironmentSpec, PythonSpec


def plan(conda=(), pip=()):
    return make_plan(EnvironmentSpec(name="e", python=PythonSpec(conda_packages=list(conda), pip_packages=list(pip))))


@pytest.mark.parametrize(
    ("conda", "pip"),
    [
        ("", [""]),
        ("*", [""]),
        ("=0.20.0", ["==0.20.0"]),
        ("=1.2", ["==1.2.*"]),
        ("=1", ["==1.*"]),
        ("1.2", ["==1.2"]),
        ("==1.2", ["==1.2"]),
        ("1.2.*", ["==1.2.*"]),
        ("=1.2*", ["==1.2.*"]),
        ("!=1.2.*", ["!=1.2.*"]),
        (">=1.16,<2", [">=1.16,<2"]),
        (">=1.16.*", [">=1.16"]),
        ("~=1.4.2", ["~=1.4.2"]),
        ("=1.2|=1.4", ["==1.2.*", "==1.4.*"]),
    ],
)
def test_conda_versions_in_pips_words(conda, pip):
    assert alternatives(conda) == pip


def test_a_version_without_a_counterpart_is_an_error():
    with pytest.raises(InvalidInput, match="cannot be said in pip's words"):
        alternatives("=2020a_1x!y")


@pytest.mark.parametrize(
    ("conda", "pip"),
    [
        ("pytorch", "torch"),
        ("py-xgboost", "xgboost"),
        ("opencv", "opencv-python-headless"),
        ("scikit-learn", "scikit-learn"),
        ("libgcc", ""),
        ("mkl", ""),
        ("pip", ""),
        ("graphviz", None),
        ("acme-private", None),
        ("r-base", None),
    ],
)
def test_conda_names_in_pips_words(conda, pip):
    assert pip_name(conda) == pip


def test_the_articles_environment():
    made = plan(
        ["python=3.6.2", "scikit-learn=0.20.0=py36_1", "pip"],
        ["azureml-defaults>=1.0.45", "inference-schema[numpy-support]"],
    )
    assert made.python == "=3.6.2"
    assert made.choices == [["inference-schema[numpy-support]", "scikit-learn==0.20.0"]]
    assert [one.requirement for one in made.additions] == ["numpy"]
    assert any("azureml-defaults: left out" in note for note in made.notes)
    assert any("build strings" in note and "py36_1" in note for note in made.notes)


def test_every_vendor_package_is_dropped_and_inference_schema_is_not():
    made = plan(
        pip=["azureml-sdk[automl]", "azureml_core==1.2", "azureml-train-automl-runtime", "azureml-whatever-next",
             "inference-schema", "--constraint azureml-core<2"]
    )  # fmt: skip
    assert made.choices == [["inference-schema"]]
    assert made.constraints == []
    assert "azureml-core" in made.notes[0]


def test_what_the_server_package_brought_is_added_unless_listed():
    assert [one.requirement for one in plan(pip=["azureml-defaults"]).additions] == ["inference-schema", "numpy"]
    assert plan(["numpy=1.19"], ["azureml-defaults", "inference-schema"]).additions == []
    assert plan(pip=["azureml-contrib-services"]).additions == []


def test_alternatives_are_tried_newest_first():
    assert plan(["numpy=1.16|=1.19", "scipy"]).choices == [["numpy==1.19.*", "scipy"], ["numpy==1.16.*", "scipy"]]


def test_an_unknown_conda_name_is_never_looked_for_under_the_same_name():
    made = plan(["python=3.8", "acme-private=1.0", "r-base"])
    assert made.unmapped == ["acme-private", "r-base"]
    assert made.choices == [[]]
    error = unmappable(made, ["conda-forge"], "")
    for word in ("acme-private", "r-base", "conda-forge"):
        assert word in str(error)
    assert made.conda == ["acme-private =1.0", "r-base"]

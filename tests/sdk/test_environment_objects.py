import sys
from pathlib import Path

import pytest

from sendoff import CondaDependencies, Environment
from sendoff.errors import EnvironmentNotFound
from sendoff.sdk.exceptions import UserErrorException

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_an_environment_is_registered_found_changed_and_cloned(ws):
    env = Environment("mine")
    env.environment_variables["A"] = "1"
    env.python.conda_dependencies = CondaDependencies.create(pip_packages=["numpy"])
    assert env.register(ws).version == "1"
    assert env.register(ws).version == "1"
    found = Environment.get(ws, "mine", version="1")
    assert found.environment_variables["A"] == "1"
    found.python.conda_dependencies.add_pip_package("joblib")
    assert found.register(ws).version == "2"
    assert ws.environments["mine"].version == "2"
    copy = found.clone("copy")
    copy.environment_variables["A"] = "2"
    assert (copy.version, found.environment_variables["A"]) == (None, "1")
    for kind in (UserErrorException, EnvironmentNotFound):
        with pytest.raises(kind):
            Environment.get(ws, "nobody")


def test_a_reserved_name_cannot_be_registered(ws):
    with pytest.raises(UserErrorException, match="reserved"):
        Environment("AzureML-mine").register(ws)


def test_a_conda_file_is_read_and_a_wrong_one_is_named():
    Path("env.yml").write_text(
        "name: x\nchannels: [conda-forge]\ndependencies:\n- python=3.6.2\n- pip:\n  - numpy==1.19\n"
    )
    env = Environment.from_conda_specification(name="old", file_path="env.yml")
    packages = env.python.conda_dependencies
    assert packages.get_python_version() == "3.6.2"
    assert list(packages.pip_packages) == ["numpy==1.19"]
    Path("bad.yml").write_text("dependencies: [\n")
    with pytest.raises(UserErrorException, match=r"bad\.yml"):
        Environment.from_conda_specification("bad", "bad.yml")


def test_requirements_take_the_running_python():
    Path("requirements.txt").write_text("scikit-learn\n# words\njoblib>=1\n")
    packages = Environment.from_pip_requirements("r", "requirements.txt").python.conda_dependencies
    assert list(packages.pip_packages) == ["scikit-learn", "joblib>=1"]
    assert packages.get_python_version() == RUNNING


def test_the_folder_form_is_written_once_and_read_again():
    env = Environment("folder")
    env.docker.base_dockerfile = "FROM x\n"
    env.save_to_directory("saved")
    with pytest.raises(FileExistsError):
        env.save_to_directory("saved")
    env.save_to_directory("saved", overwrite=True)
    again = Environment.load_from_directory("saved")
    assert again._spec() == env._spec()
    assert Path("saved/BaseDockerfile").read_text() == "FROM x\n"


def test_docker_forms_manage_nothing_without_packages():
    assert Environment.from_docker_image("i", "image:1").python.user_managed_dependencies
    Path("Dockerfile").write_text("FROM y\n")
    assert Environment.from_dockerfile("d", "Dockerfile").docker.base_dockerfile == "FROM y\n"
    assert Environment.from_dockerfile("d", "FROM z\nRUN true").docker.base_dockerfile == "FROM z\nRUN true"


def test_packages_replace_those_of_the_same_name():
    packages = CondaDependencies.create(conda_packages=["numpy=1.19"], pip_packages=["scikit_learn==0.20"])
    packages.add_conda_package("numpy=1.20")
    packages.add_pip_package("scikit-learn==1.0")
    packages.set_python_version("3.8")
    packages.add_channel("conda-forge")
    packages.set_pip_option("--extra-index-url https://example.invalid/simple")
    assert list(packages.conda_packages) == ["python=3.8", "numpy=1.20"]
    assert list(packages.pip_packages) == ["azureml-defaults", "scikit-learn==1.0"]
    assert list(packages.pip_options) == ["--extra-index-url https://example.invalid/simple"]
    packages.remove_pip_option("--extra-index-url")
    packages.remove_pip_package("azureml-defaults")
    packages.remove_conda_package("numpy")
    packages.remove_channel("conda-forge")
    assert packages.as_dict()["dependencies"] == ["python=3.8", {"pip": ["scikit-learn==1.0"]}]
    assert CondaDependencies(packages.save()) == packages
    assert CondaDependencies.merge_requirements(["a>=1", "b", "A<2"]) == ["a<2,>=1", "b"]


def test_a_wrong_line_changes_nothing():
    packages = CondaDependencies()
    before = packages.as_dict()
    with pytest.raises(UserErrorException):
        packages.add_pip_package("numpy==one two")
    with pytest.raises(UserErrorException):
        packages.add_conda_package("numpy[")
    assert packages.as_dict() == before


def test_building_gives_the_interpreter(ws, here):
    assert "python" in here.build_local(ws)
    details = here.build(ws)
    assert details.wait_for_completion(show_output=False).status == "Succeeded"

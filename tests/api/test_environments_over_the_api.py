import pytest

from sendoff.errors import EnvironmentNotFound, SendoffError
from sendoff.spec.environment import EnvironmentSpec, PythonSpec

from .running import this_python


def test_an_equal_definition_keeps_its_version(client, workspace):
    first = client.register_environment(workspace, EnvironmentSpec(name="env"))
    again = client.register_environment(workspace, EnvironmentSpec(name="env"))
    changed = client.register_environment(workspace, EnvironmentSpec(name="env", environment_variables={"A": "1"}))
    assert (first.version, again.version, changed.version) == ("1", "1", "2")
    assert client.environment(workspace, "env").version == "2"
    assert client.environment(workspace, "env", "1").spec.environment_variables == {}
    assert [one.version for one in client.environments(workspace)] == ["2"]
    with pytest.raises(EnvironmentNotFound):
        client.environment(workspace, "env", "9")


def test_building_streams_its_progress_and_ends_with_the_interpreter(client, workspace):
    client.register_environment(workspace, this_python())
    lines = []
    built = client.build_environment(workspace, "here", progress=lines.append)
    assert built.name == "here"
    assert "python" in built.python


def test_a_failed_build_raises_the_class_that_failed(client, workspace):
    wrong = EnvironmentSpec(
        name="wrong", python=PythonSpec(user_managed_dependencies=True, interpreter_path="/nowhere/python")
    )
    client.register_environment(workspace, wrong)
    with pytest.raises(SendoffError) as caught:
        client.build_environment(workspace, "wrong")
    assert type(caught.value) is not SendoffError
    assert "/nowhere/python" in str(caught.value)

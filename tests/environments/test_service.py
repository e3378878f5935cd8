"""A workspace's environments: versions, locks that are kept, passwords that are not."""

import threading

import pytest
from sqlalchemy import insert
from stored_text import files_with

from environments.wheels import make_wheel
from sendoff.environments.service import Environments
from sendoff.errors import AlreadyExists, EnvironmentNotFound, InvalidInput, WorkspaceNotFound
from sendoff.spec.environment import DockerSpec, EnvironmentSpec, PythonSpec
from sendoff.spec.page import Window
from sendoff.spec.parse import encode, replace
from sendoff.store import open_store


@pytest.fixture
def store(home, clean, wheelhouse):
    from sendoff.store.tables import workspaces

    clean.update(SENDOFF_WHEELHOUSE=str(wheelhouse), SENDOFF_OFFLINE="1", PIP_NO_INDEX="1")
    with open_store(home, environ=clean) as store:
        with store.begin() as connection:
            row = dict.fromkeys(("subscription_id", "resource_group", "location", "sku", "friendly_name"), "")
            connection.execute(insert(workspaces).values(name="ws", tags={}, created=0.0, **row))
        yield store


@pytest.fixture
def environments(store, clean):
    return Environments(store, clean)


def spec(*pip, name="mine", **more):
    return EnvironmentSpec(name=name, python=PythonSpec(pip_packages=list(pip)), **more)


def test_an_identical_definition_keeps_its_version_and_a_changed_one_gets_the_next(environments):
    first = environments.register("ws", spec("tiny-one", "tiny-base"))
    assert first.version == first.spec.version == "1"
    assert environments.register("ws", spec("tiny-base", "tiny-one")).version == "1"
    assert environments.register("ws", spec("tiny-one")).version == "2"
    assert environments.register("ws", spec("tiny-one", environment_variables={"A": "b"})).version == "3"
    assert environments.register("ws", spec("tiny-one", "tiny-base")).version == "4", "the newest is what counts"
    assert environments.get("ws", "mine").version == "4"
    assert environments.get("ws", "mine", "2").spec.python.pip_packages == ["tiny-one"]


def test_a_version_of_the_users_own_is_honoured_when_it_is_new(environments):
    assert environments.register("ws", spec("tiny-one", version="2020-rc1")).version == "2020-rc1"
    assert environments.register("ws", spec("tiny-one", version="2020-rc1")).version == "2020-rc1"
    with pytest.raises(AlreadyExists, match="another definition"):
        environments.register("ws", spec("tiny-two", version="2020-rc1"))
    assert environments.register("ws", spec("tiny-two")).version == "1"
    with pytest.raises(InvalidInput):
        environments.register("ws", spec("tiny-two", version="../1"))


def test_reserved_names_and_unknown_workspaces_are_refused(environments):
    for name in ("AzureML-Minimal", "microsoft-x"):
        with pytest.raises(InvalidInput, match="reserved"):
            environments.register("ws", spec(name=name))
    with pytest.raises(WorkspaceNotFound):
        environments.register("other", spec())


def test_what_is_not_there_is_said_with_what_is(environments):
    environments.register("ws", spec("tiny-one"))
    with pytest.raises(EnvironmentNotFound, match="Did you mean 'mine'"):
        environments.get("ws", "mien")
    with pytest.raises(EnvironmentNotFound, match="It has: 1"):
        environments.get("ws", "mine", "7")
    with pytest.raises(EnvironmentNotFound, match="curated"):
        environments.get("ws", "AzureML-Minimal")


def test_listing_gives_the_newest_of_each_name(environments):
    environments.register("ws", spec("tiny-one"))
    environments.register("ws", spec("tiny-two"))
    environments.register("ws", spec("tiny-two", name="another"))
    assert [(one.name, one.version) for one in environments.list("ws")] == [("another", "1"), ("mine", "2")]
    assert environments.get("ws", "mine", "1").version == "1"
    first = environments.list("ws", window=Window(limit=1))
    assert [one.name for one in environments.list("ws", window=Window(limit=1, after=first.next))] == ["mine"]


def test_registering_at_once_gives_every_definition_its_own_version(environments):
    found = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(environments.register("ws", spec(f"tiny-base=={n}")).version))
        for n in range(1, 9)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(found) == [str(n) for n in range(1, 9)]


def test_a_lock_is_kept_and_found_without_asking_the_index(environments, wheelhouse):
    environments.register("ws", spec("tiny-base"))
    said = []
    first = environments.resolve(spec("tiny-base", name="any name"), said.append)
    assert first.pins() == {"tiny-base": "2.0"}
    assert said
    make_wheel(wheelhouse, "tiny-base", "3.0")
    said.clear()
    assert environments.resolve(spec("tiny-base"), said.append) == first
    assert said == []
    assert environments.get("ws", "mine").lock_digest == first.digest
    assert environments.register("ws", spec("tiny-base", environment_variables={"A": "1"})).version == "2"
    built = environments.ensure(first)
    assert [one.lock_digest for one in environments.present()] == [first.digest]
    assert environments.remove(built.key)


def test_passwords_are_kept_in_the_secrets_alone(environments, store, home):
    definition = replace(
        spec("tiny-base", "--extra-index-url https://me:plantedSecret@packages.invalid/simple"),
        docker=DockerSpec(base_image_registry={"address": "r.invalid", "username": "u", "password": "plantedSecret"}),
    )
    registered = environments.register("ws", definition)
    lock = environments.resolve(definition)
    assert b"plantedSecret" not in encode(registered) + encode(lock)
    assert "https://packages.invalid/simple" in lock.pip_options[0]
    assert store.secrets.get("image-registry:r.invalid") == "plantedSecret"
    assert "plantedSecret" in environments.indexes(lock.pip_options).extra_index_urls[0]
    assert files_with(home, "plantedSecret") == []


def test_doctor_can_list_the_interpreters(environments):
    assert any(not one.problem for one in environments.interpreters())

"""Copies of collected data in Azure Blob Storage, by hand and by the clock (issue E, point 4)."""

from __future__ import annotations

import json
import os
import time

import azurite
import pytest
from command_line import sendoff_process
from modeldata.test_collected_data import send, stored
from serving.running import eventually

from sendoff import LocalWebservice, Model
from sendoff.schedule.chores import COPY_SECONDS, Chores

pytestmark = pytest.mark.slow

INPUTS = "adder/1/inputs/%Y/%m/%d/data.csv"


def cli(*words):
    """In a process of its own: a client of the store keeps connections and lists as long as its process lives."""
    done = sendoff_process(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture
def azure(tmp_path, monkeypatch):
    """The server with a container "data": its process and its connection string, which is in the environment too."""
    from azure.storage.blob import BlobServiceClient

    process, connection = azurite.start(tmp_path / "azurite")
    with BlobServiceClient.from_connection_string(connection, retry_total=0) as client:

        def up():
            assert process.poll() is None
            try:
                return client.create_container("data")
            except Exception:
                return None

        eventually(up, 200)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
    monkeypatch.setenv("SENDOFF_DATA_STORE", "az://data/prefix")
    yield process, connection
    process.kill()
    process.wait()


def blob(connection, name):
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(connection) as client:
        return client.get_blob_client("data", name).download_blob().readall()


def names(connection):
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(connection) as client:
        return sorted(client.get_container_client("data").list_blob_names())


@pytest.fixture
def service(ws, model, config):
    settings = LocalWebservice.deploy_configuration(collect_model_data=True)
    service = Model.deploy(ws, "adding", [model], config, settings)
    service.wait_for_deployment()
    return service


def test_files_are_copied_to_azure_and_read_from_there(today, azure, service, home):
    process, connection = azure
    inputs = today.strftime(INPUTS)
    send(service, 3)
    stored(service, 3)
    cli("service", "data", "copy", "-n", "adding", "-w", "demo")
    scope = "modeldata/sub/rg/demo/adding"
    assert blob(connection, f"prefix/{scope}/{inputs}") == (home / scope / inputs).read_bytes()
    # A file that has grown is copied anew, over the old one.
    send(service, 2, first=3)
    stored(service, 5)
    cli("service", "data", "copy", "-n", "adding", "-w", "demo")
    assert blob(connection, f"prefix/{scope}/{inputs}") == (home / scope / inputs).read_bytes()
    assert len(names(connection)) == 2
    service.delete()
    cli("service", "data", "delete", "-n", "adding", "-w", "demo", "--all")
    assert {one.where for one in service.data.list()} == {"az://data/prefix"}
    assert [one["value"] for one in service.data.to_records()] == [1, 2, 3, 4, 5]
    # A server that is gone is told.
    process.kill()
    process.wait()
    listed = cli("service", "data", "list", "-n", "adding", "-w", "demo", "-o", "json")
    assert "Trouble: the store of collected data az://data/prefix cannot be used" in listed.stderr


@pytest.fixture
def credentials(azure, tmp_path, monkeypatch):
    """In the user's own files; before the service, whose supervisor copies too when its time comes."""
    folder = tmp_path / "user/.config/fsspec"
    folder.mkdir(parents=True)
    (folder / "az.json").write_text(json.dumps({"az": {"connection_string": azure[1]}}))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))


def test_the_clock_copies_with_what_the_home_knows(today, azure, credentials, service, home):
    """The process that copies has none of the caller's variables: credentials lie in the user's own files."""
    _, connection = azure
    send(service, 2)
    stored(service, 2)
    (home / "settings.toml").write_text('data_store = "az://data/clock"\n')

    def log():
        return (home / "drift/due.log").read_text() if (home / "drift/due.log").exists() else ""

    last = home / "drift/last-copy"
    if not last.exists():  # the service's own supervisor may have begun
        assert Chores(home).look()
    eventually(lambda: last.exists())
    assert not Chores(home).look()  # five minutes have to pass
    old = time.time() - COPY_SECONDS - 1
    os.utime(last, (old, old))
    assert Chores(home).look()
    inputs = today.strftime(INPUTS)
    wanted = f"clock/modeldata/sub/rg/demo/adding/{inputs}"
    eventually(lambda: wanted in names(connection), 90)
    eventually(lambda: "copied 2 files" in log(), 30)
    assert blob(connection, wanted) == (home / "modeldata/sub/rg/demo/adding" / inputs).read_bytes()

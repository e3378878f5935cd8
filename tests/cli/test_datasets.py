"""``sendoff dataset`` and ``sendoff datastore``."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Cli


def test_files_go_into_a_datastore_and_come_back(cli: Cli) -> None:
    Path("d").mkdir()
    Path("d/a.txt").write_text("1")
    assert cli("datastore", "upload", "-p", "d", "-u", "x").data == {"changed": ["x/a.txt"], "skipped": []}
    again = cli("datastore", "upload", "-p", "d", "-u", "x")
    assert again.data["skipped"] == ["x/a.txt"]
    assert "--overwrite" in again.err
    assert [file["path"] for file in cli("datastore", "list-files", "-p", "x/*").data] == ["x/a.txt"]
    assert cli("datastore", "download", "-d", "out", "-p", "x").data == {"files": ["out/x/a.txt"]}
    assert Path("out/x/a.txt").read_text() == "1"
    assert cli("datastore", "remove-files", "-p", "x").data["changed"] == ["x/a.txt"]
    assert cli("datastore", "remove-files", "-p", "x").code == 3
    assert cli("datastore", "show-default").data["name"] == "workspaceblobstore"
    cli("datastore", "set-default", "-n", "workspacefilestore")
    assert cli("datastore", "show-default").data["name"] == "workspacefilestore"
    assert {one["name"] for one in cli("datastore", "list").data} == {"workspaceblobstore", "workspacefilestore"}
    refused = cli("datastore", "attach-blob", "-n", "x", "--account-name", "y")
    assert refused.code == 6
    assert "sendoff datastore upload" in refused.err


def test_a_dataset_is_registered_by_flags_and_looked_into(cli: Cli) -> None:
    bodies = ['{"data": [[1, 2]], "text": "a,b"}', "second"]
    Path("requests.txt").write_text("\n".join(bodies))
    cli("datastore", "upload", "-p", "requests.txt", "-u", "samples")
    flags = ("--separator", "\\n", "--header", "NO_HEADERS", "-t", "made.json")
    first = cli("dataset", "register", "-n", "samples", "-p", "workspaceblobstore:samples/requests.txt", *flags)
    assert (first.data["version"], first.data["source"]) == (1, "workspaceblobstore:samples/requests.txt")
    assert json.loads(Path("made.json").read_text())["id"] == first.data["id"]
    assert cli("dataset", "preview", "-n", "samples").data == [{"Column1": body} for body in bodies]
    taken = cli("dataset", "register", "-n", "samples", "-p", "requests.txt", *flags)
    assert taken.code == 4
    assert "--create-new-version" in taken.err
    cli("dataset", "register", "-n", "samples", "-p", "requests.txt", *flags, "--create-new-version")
    assert [one["version"] for one in cli("dataset", "list").data] == [2]
    assert [one["version"] for one in cli("dataset", "list", "--all-versions").data] == [2, 1]
    assert cli("dataset", "show", "-n", "samples", "--version", "1").data["id"] == first.data["id"]
    assert cli("dataset", "show", "-i", first.data["id"]).data["version"] == 1
    assert cli("dataset", "show", "-n", "sample").code == 3


def test_a_dataset_is_registered_from_the_template_that_is_printed(cli: Cli) -> None:
    Path("images").mkdir()
    Path("images/a.jpg").write_bytes(b"x")
    template = cli("dataset", "register", "--show-template", "--kind", "file")
    Path("d.json").write_text(template.out)
    made = cli("dataset", "register", "-f", "d.json").data
    assert (made["name"], made["kind"], made["version"]) == ("images", "file", 1)
    assert [file["path"] for file in cli("dataset", "preview", "-n", "images").data] == ["a.jpg"]
    broken = json.loads(template.out)
    broken["parameters"]["pth"] = broken["parameters"].pop("path")
    Path("d.json").write_text(json.dumps(broken))
    wrong = cli("dataset", "register", "-f", "d.json")
    assert wrong.code == 2
    assert "unknown key 'pth'" in wrong.err
    assert "Did you mean 'path'" in wrong.err
    tabular = json.loads(cli("dataset", "register", "--show-template").out)
    Path("t.json").write_text(json.dumps(tabular))
    missing = cli("dataset", "register", "-f", "t.json")
    assert missing.code == 2
    assert "no file at 'sample_request_data/*.txt'" in missing.err
    assert cli("dataset", "register", "-f", "t.json", "--skip-validation").data["version"] == 1


def test_a_dataset_is_put_aside_and_brought_back(cli: Cli) -> None:
    Path("t.csv").write_text("a\n1\n")
    new = cli("dataset", "register", "-n", "new", "-p", "t.csv").data
    cli("dataset", "register", "-n", "old", "-p", "t.csv")
    assert cli("dataset", "deprecate", "-n", "old", "-d", new["id"]).data["deprecatedBy"] == new["id"]
    cli("dataset", "archive", "-n", "old")
    assert [one["name"] for one in cli("dataset", "list").data] == ["new"]
    assert cli("dataset", "reactivate", "-n", "old").data["state"] == "active"
    assert len(cli("dataset", "list").data) == 2
    assert cli("dataset", "unregister", "-n", "old").code == 0
    assert [one["name"] for one in cli("dataset", "list").data] == ["new"]
    assert cli("dataset", "show").code == 2

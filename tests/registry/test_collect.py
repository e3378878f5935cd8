"""From local files to a manifest, and which manifests are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sendoff.errors import InvalidInput
from sendoff.registry.collect import collect, find_files
from sendoff.spec.model import ManifestFile, check_manifest, check_manifest_path
from sendoff.store.local_blobs import LocalBlobs

DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my_model"
    (folder / "sub" / "deep").mkdir(parents=True)
    for name in ("b.txt", "a.txt", "sub/c.txt", "sub/deep/d.txt"):
        (folder / name).write_text(name)
    return folder


def paths(path: Path | str, children: list[str] | None = None) -> list[str]:
    return [name for name, _ in find_files(path, children)]


def test_a_file_keeps_its_own_name(folder: Path) -> None:
    assert paths(folder / "a.txt") == ["a.txt"]


def test_a_folder_keeps_its_own_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ["my_model/a.txt", "my_model/b.txt", "my_model/sub/c.txt", "my_model/sub/deep/d.txt"]
    assert paths(folder) == paths(f"{folder}/") == paths(folder / "sub" / "..") == expected
    monkeypatch.chdir(folder)
    assert paths(".") == expected


def test_child_paths_pick_files_and_folders(folder: Path) -> None:
    assert paths(folder, ["a.txt", "./sub/"]) == ["my_model/a.txt", "my_model/sub/c.txt", "my_model/sub/deep/d.txt"]
    assert paths(folder, ["sub", "sub/c.txt"]) == ["my_model/sub/c.txt", "my_model/sub/deep/d.txt"]


@pytest.mark.parametrize("child", ["missing", "../my_model/a.txt", "/etc/passwd", "", "sub//c.txt", "sub/../a.txt"])
def test_a_child_that_is_missing_or_leads_out_is_refused(folder: Path, child: str) -> None:
    with pytest.raises(InvalidInput):
        paths(folder, [child])


def test_child_paths_need_a_folder(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="need a folder"):
        paths(folder / "a.txt", ["a.txt"])


def test_links_are_followed_but_not_in_circles(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "w").write_text("w")
    (tmp_path / "named").symlink_to(folder)
    (folder / "within").symlink_to("sub")
    assert any(path.startswith("named/within/") for path in paths(tmp_path / "named"))
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    for start, children in ((folder, None), (tmp_path / "named", None), (folder, ["link"])):
        with pytest.raises(InvalidInput, match="link is a link that leads out of"):
            find_files(start, children)
    outside: list[str] = []
    assert "my_model/link/w" in [path for path, _ in find_files(folder, outside=outside)]
    assert outside == ["my_model/link"]
    (folder / "link").unlink()
    (folder / "sub" / "up").symlink_to("..")
    with pytest.raises(InvalidInput, match="leads back"):
        paths(folder)


@pytest.mark.parametrize("kind", ["fifo", "broken", "name"])
def test_what_cannot_be_registered_is_named(folder: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(folder / "bad")
    elif kind == "broken":
        (folder / "bad").symlink_to("nowhere")
    else:
        Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff")).write_text("")
    with pytest.raises(InvalidInput, match="bad"):
        paths(folder)


def test_nothing_to_register_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    with pytest.raises(InvalidInput, match="holds no files"):
        paths(tmp_path / "empty")
    with pytest.raises(InvalidInput, match="does not exist"):
        paths(tmp_path / "missing")
    with pytest.raises(InvalidInput):
        paths("/dev/null")


def test_collecting_stores_the_bytes_and_an_empty_file_is_a_file(folder: Path, tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    (folder / "empty").write_text("")
    seen: list[int] = []
    files = collect(folder, blobs, progress=seen.append)
    assert {file.path: blobs.read_bytes(file.digest).decode() for file in files} == {
        "my_model/a.txt": "a.txt",
        "my_model/b.txt": "b.txt",
        "my_model/empty": "",
        "my_model/sub/c.txt": "sub/c.txt",
        "my_model/sub/deep/d.txt": "sub/deep/d.txt",
    }
    assert sum(seen) == sum(file.size for file in files) == 33
    assert collect(folder, blobs) == files


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a//b",
        "a/",
        "./a",
        "a/./b",
        "..",
        "a/../b",
        "a\\b",
        "a\0b",
        "a\nb",
        "\x7f",
        "\udcff",
        "x" * 256,
        "é" * 128,
    ],
)
def test_a_path_that_leaves_its_folder_or_fits_no_file_system_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        check_manifest([ManifestFile(path=path, digest=DIGEST, size=0)])


@pytest.mark.parametrize(
    "names", [["a", "a"], ["a", "A"], ["a", "a/b"], ["d/x/y", "D/X"], ["ß", "ss"], ["m/b", "m/a", "m/b/c/d"]]
)
def test_paths_that_get_in_each_others_way_are_refused(names: list[str]) -> None:
    for order in (names, names[::-1]):
        with pytest.raises(InvalidInput):
            check_manifest([ManifestFile(path=name, digest=DIGEST, size=0) for name in order])


def test_a_wrong_digest_or_size_is_refused() -> None:
    for digest, size in (("sha256:0", 0), (DIGEST.upper(), 0), (DIGEST, -1)):
        with pytest.raises(InvalidInput):
            check_manifest([ManifestFile(path="a", digest=digest, size=size)])


@given(
    path=st.text(max_size=30) | st.lists(st.sampled_from(["a", "..", ".", "", "b c", "\\", "~", "C:"])).map("/".join)
)
@example("a/b")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_path_that_is_let_through_stays_in_its_folder(tmp_path: Path, path: str) -> None:
    try:
        check_manifest_path(path, "test")
    except InvalidInput:
        return
    root = tmp_path / "root"
    joined = root / path
    assert joined != root
    assert os.path.normpath(joined) == str(joined)
    assert joined.is_relative_to(root)
    assert path.encode()


def test_mazes_of_links_and_folders_nested_without_end_are_told(tmp_path, monkeypatch):
    model = tmp_path / "model"
    model.joinpath(*["d"] * 150).mkdir(parents=True)
    with pytest.raises(InvalidInput, match="folders deep"):
        find_files(model)
    maze = tmp_path / "maze"
    for level in range(20):  # a path through more than some thirty links is refused by the system itself
        (maze / f"d{level}").mkdir(parents=True)
        for name in ("a", "b"):
            (maze / f"d{level}" / name).symlink_to(maze / f"d{level + 1}", target_is_directory=True)
    (maze / "d20").mkdir()
    monkeypatch.setattr("sendoff.registry.collect._MOST_FOLDERS", 2000)
    with pytest.raises(InvalidInput, match="beside more than 2,000 others"):
        find_files(maze)

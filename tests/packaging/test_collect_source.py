from __future__ import annotations

import os
from pathlib import Path

import pytest
from collected import put_source

from sendoff.errors import InvalidInput
from sendoff.packaging.check_script import OURS, check_script, ours_says, python_of
from sendoff.packaging.collect_source import collect_again, collect_source
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.store import open_store

SCORE = "def init():\n    pass\n\n\ndef run(data):\n    return data\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    made.mkdir()
    (made / "score.py").write_text(SCORE)
    return made


def test_a_lone_script_stands_at_the_root(folder: Path) -> None:
    found = collect_source("score.py", cwd=folder)
    assert (found.entry_script, found.source_directory, list(found.files)) == ("score.py", None, ["score.py"])
    assert found.origin == str(folder)


def test_a_folder_goes_whole_under_its_own_name(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "data.json").write_text("{}")
    for never in (".git", "__pycache__"):
        (folder / never).mkdir()
        (folder / never / "x").write_text("")
    found = collect_source("score.py", "code", cwd=folder.parent)
    assert found.entry_script == "code/score.py"
    assert sorted(found.files) == ["code/score.py", "code/sub/data.json"]


def test_a_dot_is_the_folder_s_real_name(folder: Path) -> None:
    assert collect_source("score.py", ".", cwd=folder).source_directory == "code"


def test_amlignore_stands_before_gitignore_and_can_be_switched_off(folder: Path) -> None:
    (folder / "a.log").write_text("")
    (folder / "b.tmp").write_text("")
    (folder / ".gitignore").write_text("*.tmp\n")
    assert "code/b.tmp" not in collect_source("score.py", folder).files
    (folder / ".amlignore").write_text("*.log\n")
    found = collect_source("score.py", folder).files
    assert "code/a.log" not in found and "code/b.tmp" in found
    assert "code/a.log" in collect_source("score.py", folder, honour_ignore_files=False).files
    (folder / ".amlignore").write_text("score.py\n")
    with pytest.raises(InvalidInput, match=r"left out by \.amlignore"):
        collect_source("score.py", folder)


def test_what_cannot_be_uploaded_is_named(folder: Path) -> None:
    def fails(match: str, *args: object, **more: object) -> InvalidInput:
        with pytest.raises(InvalidInput, match=match) as caught:
            collect_source(*args, **more)  # type: ignore[arg-type]
        return caught.value

    fails("does not exist", "nothing.py", folder)
    assert "write 'score.py'" in fails("does not exist", "code/score.py", folder).hint
    fails("does not exist", "score.py", folder / "nowhere")
    fails("is a file", "score.py", folder / "score.py")
    (folder / "score.r").write_text("")
    fails("not a Python file", "score.r", folder)
    fails("is a folder", ".", folder)
    (folder.parent / "outside.py").write_text(SCORE)
    fails("outside the source directory", "../outside.py", folder)
    (folder / "dangling").symlink_to(folder / "gone")
    fails("points to nothing", "score.py", folder)


def test_a_link_that_leads_out_is_refused_by_its_name_or_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "inside").symlink_to("../score.py")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "w").write_text("w")
    (folder / "sub" / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="sub/out is a link that leads out of") as caught:
        collect_source("score.py", folder)
    assert "follow_links=True" in caught.value.hint and "--follow-links" in caught.value.context["typed"]
    found = collect_source("score.py", folder, follow_links=True)
    assert "code/sub/out/w" in found.files and any("What sub/out links to lies outside" in note for note in found.notes)
    with open_store(tmp_path / "home") as store:
        again = collect_again(put_source(found, store.blobs.put_file))  # a reload takes them too
    assert (again.files, again.followed) == (found.files, ["sub/out"])
    (folder / ".amlignore").write_text("out\n")
    assert "code/sub/inside" in collect_source("score.py", folder).files
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(InvalidInput, match="cannot be followed"):
        collect_source("score.py", folder)


def test_links_in_a_circle_end(folder: Path) -> None:
    (folder / "again").symlink_to(folder)
    assert sorted(collect_source("score.py", folder).files) == ["code/score.py"]


def test_a_pipe_stays_behind_with_a_note(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    found = collect_source("score.py", folder)
    assert "code/pipe" not in found.files and any("pipe" in note for note in found.notes)


def test_the_same_source_is_read_again_for_a_reload(folder: Path, tmp_path: Path) -> None:
    with open_store(tmp_path / "home") as store:
        first = put_source(collect_source("score.py", folder), store.blobs.put_file)
        (folder / "score.py").write_text(SCORE + "# new\n")
        second = put_source(collect_again(first), store.blobs.put_file)
        lone = put_source(collect_source("score.py", cwd=folder), store.blobs.put_file)
        assert collect_again(lone).entry_script == "score.py"
    assert first.files != second.files and first.entry_script == second.entry_script
    (folder / "score.py").unlink()
    folder.rmdir()
    with pytest.raises(InvalidInput, match="not on this machine"):
        collect_again(first)


@pytest.mark.parametrize(
    "script",
    [
        SCORE,
        "from other import init, run\n",
        "run = lambda data: data\ninit = print\n",
        "try:\n    import x\nexcept ImportError:\n    x = None\nif x:\n    init = 1\nelse:\n    init = 2\n"
        "async def run(data): pass\n",
    ],
)
def test_scripts_that_can_be_served(script: str) -> None:
    assert check_script("score.py", script.encode(), python=OURS) == []


def test_what_is_certain_is_an_error_and_the_rest_a_note() -> None:
    with pytest.raises(InvalidInput, match=r"defines no init\(\) and run\(\)"):
        check_script("score.py", b"x = 1\n", python=OURS)
    with pytest.raises(InvalidInput, match="line 3"):
        check_script("score.py", b"def init(): pass\n\ndef run(:\n", python=OURS)
    assert "star imports" in check_script("score.py", b"from other import *\n", python=OURS)[0]
    assert "dynamic code" in check_script("score.py", b"globals()['run'] = 1\ndef init(): pass\n", python=OURS)[0]
    # Another Python's grammar is another question: the pre-flight asks that Python, or has ours to say so.
    assert check_script("score.py", b"async = 1\n", python="3.6") == []
    assert "on Python 3.6, which could not be asked" in ours_says("score.py", b"async = 1\n", python="3.6")[0]
    assert "its own Python" in ours_says("score.py", b"async = 1\n", python=None)[0]
    assert ours_says("score.py", SCORE.encode(), python="3.6") == []
    with pytest.raises(InvalidInput):
        check_script("score.py", b"def init(): pass\0", python=OURS)


@pytest.mark.parametrize(
    ("packages", "python"),
    [
        (["python=3.6.2"], "3.6"),
        (["numpy", "python==3.10"], "3.10"),
        (["python>=3.8"], "3.8"),
        (["python-dateutil=2.8"], None),
        ([], None),
    ],
)
def test_the_python_that_an_environment_names(packages: list[str], python: str | None) -> None:
    assert python_of(EnvironmentSpec(name="e", python=PythonSpec(conda_packages=packages))) == python


def test_python_files_in_utf_16_go_along_as_utf_8(folder: Path, tmp_path: Path) -> None:
    (folder / "score.py").write_bytes(f"# é\n{SCORE}".encode("utf-16"))
    (folder / "data.txt").write_bytes("é".encode("utf-16"))
    for found in (collect_source("score.py", cwd=folder), collect_source("score.py", folder)):
        assert found.texts == {found.entry_script: f"# é\n{SCORE}".encode()}
        assert any("UTF-16" in note for note in found.notes)
    (folder / "score.py").write_bytes(b"\xff\xfe\x00\xd8\x41")
    with pytest.raises(InvalidInput, match="is no text"):
        collect_source("score.py", folder)


def test_two_forms_of_one_name_are_one_name(folder: Path) -> None:
    (folder / "mu\u0308ller.py").write_text("")
    assert sorted(collect_source("score.py", folder).files) == ["code/m\u00fcller.py", "code/score.py"]
    (folder / "m\u00fcller.py").write_text("")
    with pytest.raises(InvalidInput, match="two forms of Unicode"):
        collect_source("score.py", folder)


def test_mazes_of_links_and_folders_without_end_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for level in range(16):
        (folder / f"d{level}").mkdir()
        for name in ("a", "b"):
            (folder / f"d{level}" / name).symlink_to(folder / f"d{level + 1}", target_is_directory=True)
    (folder / "d16").mkdir()
    monkeypatch.setattr("sendoff.packaging.collect_source.MOST_FILES", 2000)
    with pytest.raises(InvalidInput, match="more than 2,000 folders") as error:
        collect_source("score.py", folder)
    assert ".amlignore" in error.value.hint


def test_a_link_through_too_many_others_is_told(folder: Path) -> None:
    (folder / "link0").mkdir()
    for number in range(50):
        (folder / f"link{number + 1}").symlink_to(folder / f"link{number}")
    with pytest.raises(InvalidInput, match="cannot be followed"):
        collect_source("score.py", folder)


def test_folders_nested_without_end_are_told(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * 150)
    deep.mkdir(parents=True)
    with pytest.raises(InvalidInput, match="more than 100 deep"):
        collect_source("score.py", folder)

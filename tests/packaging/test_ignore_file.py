from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sendoff.packaging.ignore_file import IgnoreRules

CASES = [
    ("*.log", "a.log", False, True),
    ("*.log", "deep/a.log", False, True),
    ("/a.log", "deep/a.log", False, False),
    ("build/", "build", True, True),
    ("build/", "build", False, False),
    ("deep/*.py", "deep/a.py", False, True),
    ("deep/*.py", "other/deep/a.py", False, False),
    ("**/x", "a/b/x", False, True),
    ("a/**", "a/b/c", False, True),
    ("a/**/c", "a/c", False, True),
    ("a/**/c", "a/b/d/c", False, True),
    ("file?.txt", "file1.txt", False, True),
    ("file[0-3].txt", "file2.txt", False, True),
    ("file[!0-3].txt", "file2.txt", False, False),
    ("*.log\n!keep.log", "keep.log", False, False),
    ("# comment\n\n", "# comment", False, False),
    (r"\#real", "#real", False, True),
    ("a.b", "aXb", False, False),
    ("trailing   ", "trailing", False, True),
    ("[", "[", False, False),  # git takes it for a class without an end
    (r"\[", "[", False, True),
    ("[[:digit:]]*.txt", "1a.txt", False, True),
    ("[[:digit:]]*.txt", "a1.txt", False, False),
    ("[![:alpha:]_]x", "1x", False, True),
    ("[![:alpha:]_]x", "_x", False, False),
    ("[[:alpha:]-9]", "-", False, True),
    ("[[:nope:]]", "n", False, False),
    ("[]a]", "]", False, True),
    ("[!]]", "]", False, False),
    (r"[\]]", "]", False, True),
    (r"[a\-z]", "m", False, False),
    ("[b-a]", "b", False, True),
    ("[a:b", "[a:b", False, False),
    ("a\\", "a\\", False, False),
    ("a**", "abc", False, True),
    ("a**", "b/abc", False, True),
    ("a**/b", "ax/b", False, True),
    # As gitignore(5) says of stars that are no whole segment; git 2.39 itself spans folders here, later ones do not.
    ("a**/b", "a/x/b", False, False),
    ("??", "é", False, True),  # a byte each
    ("?", "é", False, False),
]


@pytest.mark.parametrize(("text", "path", "folder", "ignored"), CASES)
def test_patterns_mean_what_git_says(text: str, path: str, folder: bool, ignored: bool) -> None:
    assert IgnoreRules(text).ignores(path, folder=folder) is ignored


@given(st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_any_text_is_a_valid_ignore_file(text: str, path: str) -> None:
    IgnoreRules(text).ignores(path, folder=False)


NAMES = st.sampled_from(["a", "b", "ab", "a.py", "b.log", "x1", "]", "-", "A", "é", "!b", "a ", "[a", "aXb"])
PATTERNS = st.sampled_from(
    [
        *("a", "*.py", "/b", "a/", "a/b", "**/b", "a/**", "!a.py", "!b", "x?", "[ab]", "*", "!*.log", "a/*", "/*/b"),
        *(
            "**",
            "a**",
            "**a",
            "a**b",
            "a/**/b",
            "[[:alpha:]]",
            "x[[:digit:]]",
            "[![:alpha:]]*",
            "[]a]",
            "[!]]",
            "[a",
            "[b-a]",
        ),
        *(r"\!b", "a\\", r"[\]]", r"[a\-z]", "[[:alnum:]-]*", "[[:nope:]]", "??", "[[:punct:]]*", "a\\ ", "//b", "***"),
    ]
)


@pytest.mark.skipif(shutil.which("git") is None, reason="compares with git")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PATTERNS, max_size=4), st.lists(NAMES, min_size=1, max_size=3))
def test_git_agrees(tmp_path_factory: pytest.TempPathFactory, patterns: list[str], parts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("repo")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".gitignore").write_text("\n".join(patterns) + "\n")
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    relative = path.relative_to(folder).as_posix()
    git = subprocess.run(["git", "-C", str(folder), "check-ignore", "-q", "--", relative], check=False).returncode == 0
    rules = IgnoreRules("\n".join(patterns))
    above = [Path(*parts[:count]).as_posix() for count in range(1, len(parts))]
    ours = any(rules.ignores(up, folder=True) for up in above) or rules.ignores(relative, folder=False)
    assert ours == git, (patterns, relative)

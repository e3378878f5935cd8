"""What hints say to type can be typed: a command that asks which service is never written without one."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

PACKAGES = Path(__file__).parent.parent / "packages"
NEEDS_A_NAME = "delete get-access-token get-keys get-logs metrics regen-key reload revisions rollback run show update"
BARE = re.compile(rf"(?<!`)[`'(]sendoff service ({'|'.join(NEEDS_A_NAME.split())})(?! -n| \Z)")


def bare_commands(source: str) -> list[str]:
    """Texts of a module, docstrings left out, that name such a command without a service."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]
    return [text for text in texts if BARE.search(text)]


def test_a_bare_command_is_found_and_one_with_a_name_is_not() -> None:
    assert bare_commands("hint = 'See `sendoff service get-logs`.'")
    assert bare_commands("hint = \"See 'sendoff service update'.\"")
    assert not bare_commands("hint = f'See `sendoff service get-logs {flags}`.'")
    assert not bare_commands("hint = f'See `sendoff service get-logs -n {name}`, or `sendoff service list`.'")
    assert not bare_commands('"""`sendoff service show` is a docstring."""')


def test_every_command_about_a_service_names_it() -> None:
    files = list(PACKAGES.rglob("src/**/*.py"))
    found = {str(path.relative_to(PACKAGES)): bare_commands(path.read_text(encoding="utf-8")) for path in files}
    assert len(files) > 300
    assert {path: texts for path, texts in found.items() if texts} == {}


# A word of an install line that is a distribution: not an option, a path, a version or a placeholder.
INSTALL = re.compile(r"pip install((?: +(?:-\S+|[\"']?[\w.-]+(?:\[[^\]]*\])?[\"']?))+)")
DISTRIBUTION = re.compile(r"[\"']?([A-Za-z][\w.-]*)(?:\[([^\]]*)\])?")
EXTRA_ALONE = re.compile(r"\b(sendoff[\w-]*)\[([a-z0-9,]+)\]")
# Other people's distributions that a text tells to install, each looked up once.
OTHERS = {"onnx", "requests", "uv"}


def ours() -> dict[str, set[str]]:
    """Our distributions with their extras."""
    projects = [tomllib.loads(path.read_text())["project"] for path in PACKAGES.glob("*/pyproject.toml")]
    return {one["name"]: set(one.get("optional-dependencies", {})) for one in projects}


def named_distributions(text: str) -> set[tuple[str, str]]:
    """(distribution, extra or "") of every install line, and of every `sendoff…[extra]` also outside one."""
    lines = [line for words in INSTALL.findall(text) for line in words.split() if not line.startswith("-")]
    found = [(one[1], one[2] or "") for word in lines if (one := DISTRIBUTION.match(word))]
    found += EXTRA_ALONE.findall(text)
    found = [
        one for one in found if not one[0].endswith(".txt") and "{" not in one[1]
    ]  # a file; a name that is filled in
    return {(name, extra) for name, extras in found for extra in extras.split(",")}


def test_a_distribution_that_is_not_ours_is_found() -> None:
    assert named_distributions("hint = \"pip install 'sendoff[parquet]'\"") == {("sendoff", "parquet")}
    assert named_distributions("(`pip install sendoff`; …)") == {("sendoff", "")}
    assert named_distributions("needs sendoff[s3,azure]") == {("sendoff", "s3"), ("sendoff", "azure")}
    assert named_distributions("pip install -q ./packages/serving") == set()


def test_every_install_line_names_a_distribution_and_an_extra_of_ours() -> None:
    root = PACKAGES.parent
    texts = [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").glob("*.md"), *PACKAGES.glob("*/README.md")]
    texts += [*PACKAGES.rglob("src/**/*.py"), *root.glob("examples/**/*.py"), *root.glob("examples/**/*.md")]
    known = ours()
    wrong = {
        f"{path.relative_to(root)}: {name}[{extra}]"
        for path in texts
        for name, extra in named_distributions(path.read_text(encoding="utf-8"))
        if name not in OTHERS and (name not in known or (extra and extra not in known[name]))
    }
    assert wrong == set()
    assert "sendoff" not in known  # the index's distribution of that name is another project's


def test_metadata_says_who_what_and_for_whom() -> None:
    for path in PACKAGES.glob("*/pyproject.toml"):
        project = tomllib.loads(path.read_text())["project"]
        assert {"authors", "keywords", "classifiers", "description", "license", "readme", "requires-python"} <= set(
            project
        )
        oldest = re.search(r"3\.\d+", project["requires-python"])[0]
        assert f"Programming Language :: Python :: {oldest}" in project["classifiers"]

"""What hints say to type can be typed: a command that asks which service is never written without one."""

from __future__ import annotations

import ast
import re
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

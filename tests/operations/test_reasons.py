from __future__ import annotations

import re
from pathlib import Path

import pytest

from sendoff.deployments import delete_steps, deploy_steps
from sendoff.errors import table
from sendoff.operations import execute, reasons
from sendoff.operations.kinds import DELETE, DEPLOY, KINDS
from sendoff.packages import package_steps
from sendoff.profiling import profile_steps

PAGE = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text()


@pytest.mark.parametrize("code", sorted(reasons.REASONS))
def test_every_reason_code_is_documented(code: str) -> None:
    assert f"| `{code}` | {reasons.REASONS[code]} |" in PAGE


def test_the_code_uses_no_reason_that_is_not_in_the_table() -> None:
    for module in (deploy_steps, delete_steps, execute, package_steps, profile_steps):
        text = Path(str(module.__file__)).read_text()
        used = set(re.findall(r'return "([A-Z][A-Za-z]+)"', text)) | set(re.findall(r'"([A-Z][a-z]+[A-Z]\w+)", ', text))
        assert used and used <= set(reasons.REASONS)


def test_every_error_has_a_reason() -> None:
    for error in table().values():
        assert reasons.reason_of(error("x")) in reasons.REASONS


def test_every_step_is_documented() -> None:
    for step in (*KINDS[DEPLOY].steps, *KINDS[DELETE].steps):
        assert f"| `{step}` |" in PAGE

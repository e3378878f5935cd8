"""Lines of shell scripts, pipelines and notebooks that call ``az ml``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from ..spec.parse import Spec, nearest
from .findings import MAPPED, RUNS, UNSUPPORTED, Finding

_CALL = re.compile(r"(?<![\w-])az\s+ml\s+(?P<rest>[^\n|;&]*)")


_NEWER = {
    "batch-deployment": "batch scoring is not here yet",
    "batch-endpoint": "batch scoring is not here yet",
    "component": "run the steps' scripts yourself, then Model.register what they made",
    "compute": "sendoff computetarget has compute targets by name",
    "connection": "keys of other services go into environment variables",
    "data": "sendoff dataset register",
    "environment": "sendoff environment register",
    "feature-set": "not here",
    "feature-store": "not here",
    "job": "run the script yourself, then sendoff model register what it made",
    "model": "sendoff model register",
    "online-deployment": "sendoff model deploy, sendoff service update",
    "online-endpoint": "sendoff model deploy makes a service, which is its own endpoint",
    "registry": "not here",
    "schedule": "not here",
}
"""What serves the purpose of the groups of ``az ml`` version 2, whose files and flags are others."""


_NEWER_VERBS = frozenset(
    {"archive", "cancel", "create", "delete", "download", "get-credentials", "get-logs", "invoke", "list", "restore"}
    | {"share", "show", "stream", "update", "regenerate-keys"}
)


class CommandFacts(Spec):
    """What is known of a command: its flags, and whether it only refuses."""

    flags: list[str]
    refused: bool = False
    instead: str = ""


Commands = Mapping[str, CommandFacts]
"""Commands by their words."""


def joined(text: str) -> list[tuple[int, str]]:
    """Lines with those joined that end in a backslash, each with the number of its first."""
    found: list[tuple[int, str]] = []
    open_line = False
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.rstrip()
        goes_on = bare.endswith(("\\", "`", "^")) and "az" in (found[-1][1] if open_line else bare)
        part = bare[:-1] if goes_on else bare
        if open_line:
            found[-1] = (found[-1][0], f"{found[-1][1]} {part.strip()}")
        else:
            found.append((number, part))
        open_line = goes_on
    return found


def read(text: str, commands: Commands, cell: int | None = None) -> list[Finding]:
    """Findings of all calls of ``az ml`` in a text."""
    findings = []
    for number, line in joined(text):
        if line.lstrip().startswith(("#", "//")):
            continue
        for match in _CALL.finditer(line):
            findings += _one(match["rest"], commands, number, cell)
    return findings


def _one(rest: str, commands: Commands, number: int, cell: int | None) -> list[Finding]:
    def finding(what: str, verdict: str, message: str) -> Finding:
        return Finding(line=number, what=f"az ml {what}", verdict=verdict, message=message, cell=cell)

    try:
        words = shlex.split(rest, comments=True)
    except ValueError:
        words = rest.split()
    path: list[str] = []
    for word in words:
        if word.startswith(("-", "$")) or not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        path.append(word)
    if not path:
        return []
    for count in range(len(path), 0, -1):
        name = " ".join(path[:count])
        if name in commands:
            break
    else:
        name = " ".join(path)
        if path[0] in _NEWER and (len(path) > 1 and path[1] in _NEWER_VERBS):
            message = f"a command of az ml version 2, which is not read here; instead: {_NEWER[path[0]]}"
            return [finding(" ".join(path[:2]), UNSUPPORTED, message)]
        groups = list({known.split()[0] for known in commands})
        if path[0] not in groups and (len(path) == 1 or (path[0] not in _NEWER and not nearest(path[0], groups))):
            return []  # prose: every command of either version is a group and a verb
        close = nearest(name, list(commands))
        hint = f"did you mean 'sendoff {close}'?" if close else "see 'sendoff --help'"
        return [finding(name, UNSUPPORTED, f"no such command; {hint}")]
    facts = commands[name]
    if facts.refused:
        return [finding(name, UNSUPPORTED, facts.instead)]
    found = [finding(name, RUNS, f"type: sendoff {name}")]
    for word in words:
        flag = word.partition("=")[0]
        if re.fullmatch(r"--?[A-Za-z][\w-]*", flag) and flag not in facts.flags:
            if len(flag) > 2 and not flag.startswith("--") and flag[:2] in facts.flags:
                continue  # a value glued to its flag
            found.append(finding(f"{name} {flag}", UNSUPPORTED, "no such flag"))
    if name == "workspace create":
        found.append(finding(name, MAPPED, "makes a workspace in the local store"))
    return found

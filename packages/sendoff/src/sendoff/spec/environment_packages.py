"""The lines within an environment's definition: a conda match spec, a pip requirement, a pip option.

Conda's grammar: https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html; pip's:
https://pip.pypa.io/en/stable/reference/requirements-file-format/.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ..errors import InvalidInput
from .parse import Spec

_CONDA_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_CONDA_CLAUSE = re.compile(r"(?:==|=|!=|>=|<=|>|<|~=)?[A-Za-z0-9_.*!+-]+\Z")
_BRACKET = re.compile(r"(?P<key>[a-z0-9_]+)\s*=\s*(?:'(?P<s>[^']*)'|\"(?P<d>[^\"]*)\"|(?P<p>[^,'\"\]\s]+))\s*(?:,|\Z)")
_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s@'\"]+@")

ARCHIVE = re.compile(r"\.(whl|tar\.gz|zip|tar\.bz2|tgz)(#|\?|\Z)")
"""How the address of a wheel or source archive ends."""

# pip option -> (short form, does it take a value)
_OPTIONS: dict[str, tuple[str, bool]] = {
    "--index-url": ("-i", True),
    "--extra-index-url": ("", True),
    "--find-links": ("-f", True),
    "--no-index": ("", False),
    "--trusted-host": ("", True),
    "--pre": ("", False),
    "--prefer-binary": ("", False),
    "--no-binary": ("", True),
    "--only-binary": ("", True),
    "--require-hashes": ("", False),
    "--use-feature": ("", True),
    "--requirement": ("-r", True),
    "--constraint": ("-c", True),
    "--editable": ("-e", True),
}
_SHORT = {short: name for name, (short, _) in _OPTIONS.items() if short}

_Fail = Callable[[str, str], InvalidInput]


class CondaPackage(Spec):
    """One conda match spec in its parts; an empty ``version`` allows any."""

    name: str
    version: str = ""
    build: str = ""
    channel: str = ""


def redact(text: str) -> str:
    """The text with ``user:password@`` of any address replaced by ``****@`` (spec/pains.md 24)."""
    return _CREDENTIALS.sub(lambda m: f"{m['scheme']}****@", text)


def parse_conda_package(text: str, *, where: str, field: str = "") -> CondaPackage:
    """Take a conda match spec apart: ``python=3.6.2``, ``conda-forge::numpy >=1.16,<1.20``, ``scipy=1.5=py36_0``.

    Raises:
        InvalidInput: It is no match spec; the message names ``where`` and ``field``.
    """

    def fail(expected: str, hint: str = "") -> InvalidInput:
        at = f"{field}: " if field else ""
        return InvalidInput(
            redact(f"{where}: {at}{text!r} is not a conda package: {expected}"),
            hint=redact(hint) or "Write NAME, NAME=VERSION or NAME>=VERSION, for example scikit-learn=0.20.0.",
            where=where,
            field=field,
            expected=expected,
        )

    rest = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
    if "://" in rest or rest.endswith((".tar.bz2", ".conda")):
        raise fail("an address of an archive cannot be used", "Put its channel under 'channels:' and name the package.")
    channel, separator, after = rest.partition("::")
    rest = after.strip() if separator else rest
    if not separator:
        channel = ""
    brackets: dict[str, str] = {}
    found = re.search(r"\[(.*)\]\s*\Z", rest)
    if found:
        rest = rest[: found.start()].strip()
        inner, end = found[1].strip(), 0
        for item in _BRACKET.finditer(inner):
            if inner[end : item.start()].strip():
                break
            brackets[item["key"]] = item["s"] or item["d"] or item["p"] or ""
            end = item.end()
        if end != len(inner) or not brackets.keys() <= {"version", "build", "channel", "subdir", "build_number"}:
            hint = f"In the pip section extras are written like this: {rest}[{inner}]."
            raise fail("conda has no extras; what stands in brackets is KEY=VALUE", hint)
    name_match = _CONDA_NAME.match(rest)
    if not name_match:
        raise fail("it has to start with a package name")
    name, rest = name_match[0].lower(), rest[name_match.end() :].strip()
    version, build = _split_build(rest)
    version = version or _squeeze(brackets.get("version", ""))
    for clause in re.split(r"[,|]", version) if version else []:
        if not _CONDA_CLAUSE.match(clause):
            raise fail(f"{clause!r} is not a version condition" if clause else "a version condition is missing")
    if build and not re.match(r"[A-Za-z0-9_.*+-]+\Z", build):
        raise fail(f"{build!r} is not a build string")
    channel = channel or brackets.get("channel", "")
    return CondaPackage(name=name, version=version, build=build or brackets.get("build", ""), channel=channel)


def _squeeze(version: str) -> str:
    return re.sub(r"\s*([,|])\s*", r"\1", re.sub(r"([<>=!~])\s+", r"\1", version.strip()))


def _split_build(rest: str) -> tuple[str, str]:
    """``=0.20.0=py36_0``, ``1.19.* py36_0`` and ``>=1.16, <2`` into version and build."""
    rest = _squeeze(rest)
    version, _, build = rest.partition(" ")
    if not build:
        exact = re.match(r"(={1,2}[^=<>!~,|]+)=([^=<>!~,|]+)\Z", version)
        if exact:
            return exact[1], exact[2]
    return version, build.strip()


def parse_pip_line(
    text: str, *, where: str, field: str = "", base: Path | None = None, option_values: bool = True
) -> tuple[str, str]:
    """Check one line of a pip section or requirements file.

    Args:
        text: The line, already without continuation; a comment may follow.
        where: The file, for errors.
        field: The place within it, for errors.
        base: The folder that local paths are relative to.
        option_values: False refuses the options that include other files.

    Returns:
        What it is (``requirement``, ``include``, ``constraint``, ``option`` or, for a blank line, an empty string)
        and its text without comment; for an include or constraint what stands behind the option.

    Raises:
        InvalidInput: It is nothing that can be installed here.
    """

    def fail(problem: str, hint: str) -> InvalidInput:
        at = f"{field}: " if field else ""
        shown = redact(f"{text.strip()!r}: {problem}")
        return InvalidInput(f"{where}: {at}{shown}", hint=redact(hint), where=where, field=field)

    line = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
    if not line:
        return "", ""
    if line.startswith("-"):
        return _option(line, fail, base, option_values)
    if re.match(r"(git|hg|svn|bzr)\+", line) or re.search(r"@\s*(git|hg|svn|bzr)\+", line):
        raise fail(
            "a version control address cannot be locked with a hash",
            "Build a wheel of it (pip wheel …), put that into a folder and name the folder with --find-links.",
        )
    return "requirement", _requirement(line, fail, base)


def _option(line: str, fail: _Fail, base: Path | None, includes: bool) -> tuple[str, str]:
    match = re.match(r"(--[a-z-]+)(?:\s*=\s*|\s+|\Z)(.*)\Z", line, re.DOTALL) or re.match(
        r"(-[A-Za-z])\s*=?\s*(.*)\Z", line, re.DOTALL
    )
    name = match[1] if match else line.split()[0]
    name = _SHORT.get(name, name)
    if match is None or name not in _OPTIONS:
        known = ", ".join(sorted(_OPTIONS))
        raise fail(f"pip option {name} is not known", f"Known options: {known}.")
    value = match[2].strip().strip("'\"")
    if name == "--editable":
        raise fail(
            "an editable install points at a folder of this machine and cannot be locked",
            "Put the code into the source directory of the inference configuration, or build a wheel of it.",
        )
    if _OPTIONS[name][1] and not value:
        raise fail(f"{name} needs a value", f"Write {name} VALUE.")
    if not _OPTIONS[name][1] and value:
        raise fail(f"{name} takes no value, got {value!r}", f"Write {name} alone.")
    if re.match(r"file:(?!//)", value) and name in ("--find-links", "--requirement", "--constraint"):
        raise fail(
            f"{name} takes a path, or an address that starts with file:///",
            f"Drop 'file:': write {name} {value.removeprefix('file:')}.",
        )
    if name in ("--requirement", "--constraint"):
        if not includes:
            raise fail(f"{name} cannot be used here", "Write the requirements themselves.")
        return ("include" if name == "--requirement" else "constraint"), value
    if name == "--find-links" and base is not None and "://" not in value and not Path(value).is_absolute():
        local = _join(base, value, fail)
        value = str(local) if local.exists() else value
    return "option", f"{name} {value}".strip()


def _requirement(line: str, fail: _Fail, base: Path | None) -> str:
    from packaging.requirements import InvalidRequirement, Requirement  # 20 ms that most calls never need

    body, *hashes = re.split(r"\s+--hash[=\s]\s*", line)
    for digest in hashes:
        if not re.match(r"(sha256|sha384|sha512):[0-9a-fA-F]+\Z", digest):
            raise fail(f"{digest!r} is not a hash", "Write --hash=sha256:HEX.")
    if " --" in body:
        option = body[body.index(" --") + 1 :].split("=")[0].split()[0]
        raise fail(f"{option} cannot follow a requirement", "Only --hash=sha256:HEX can.")
    body = body.strip()
    if re.match(r"(\.{0,2}/|[A-Za-z]:\\|file:|https?:)", body) or (
        "@" not in body and re.search(r"\.(whl|tar\.gz|zip)\Z", body)
    ):
        body = _archive(body, fail, base)
    try:
        requirement = Requirement(body)
    except (InvalidRequirement, ValueError) as error:
        problem = str(error).splitlines()[0] if str(error) else "not a requirement"
        turned = re.search(r"=([<>!~])", body)
        if turned:
            right = body.replace(turned[0], turned[1] + "=", 1)
            raise fail(f"{turned[0]!r} is no comparison", f"Write {right}.") from None
        if re.match(r"[A-Za-z0-9._-]+\s*=[^=]", body):
            raise fail("one '=' is conda's way; pip's is '=='", f"Write {body.replace('=', '==', 1)}.") from None
        raise fail(f"not a pip requirement ({problem})", "Write NAME, NAME==VERSION or NAME>=VERSION.") from None
    if requirement.name.lower() == "python" and requirement.url is None:
        version = str(requirement.specifier).lstrip("=") or "3.11"
        raise fail(
            "Python itself is no pip package",
            f"Use a conda file with python={version} among its dependencies, and the packages under pip:.",
        )
    if requirement.url is not None:
        if re.match(r"file:(?!//)", requirement.url) and ARCHIVE.search(requirement.url):
            path = _join(base or Path.cwd(), requirement.url.removeprefix("file:"), fail)
            body = body.replace(requirement.url, path.as_uri(), 1)
        if _CREDENTIALS.search(requirement.url):
            raise fail(
                "an address with a password would be stored in the lock",
                "Use an index that has the package and give its address with --extra-index-url or the settings.",
            )
        # A folder where conda built it: `environment_elsewhere` tells of all of them at once.
        if not ARCHIVE.search(requirement.url) and not requirement.url.startswith("file:"):
            raise fail("the address is not of a wheel or source archive", "Give the address of a .whl or .tar.gz file.")
    return " ".join([body, *(f"--hash={digest}" for digest in hashes)])


def _archive(body: str, fail: _Fail, base: Path | None) -> str:
    """A bare path or address of an archive as ``NAME @ URL``."""
    target, _, marker = body.partition(";")
    target = target.strip()
    filename = target.split("#")[0].split("?")[0].rstrip("/").rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    match = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*?)-[0-9v][^/]*\.(whl|tar\.gz|zip)\Z", filename)
    if not match:
        raise fail(
            "only a wheel or source archive can be installed by path or address",
            "Build a wheel of the folder (pip wheel --no-deps FOLDER) and name the .whl file.",
        )
    if "://" not in target and not target.startswith("file:"):
        path = _join(base or Path.cwd(), target, fail)
        if not path.is_file():
            error = fail(f"file {path} does not exist", "Paths are relative to the file that names them.")
            error.context["missing"] = str(path)
            raise error
        target = path.as_uri()
    return f"{match[1]} @ {target}" + (f" ; {marker.strip()}" if marker.strip() else "")


def _join(base: Path, value: str, fail: _Fail) -> Path:
    try:
        path = (base / value).expanduser().resolve()
        path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise fail(f"not a path ({error})", "Give a path relative to this file.") from None
    return path

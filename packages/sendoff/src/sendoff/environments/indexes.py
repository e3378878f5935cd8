"""Where pip packages come from: pip's own settings, then Sendoff's, then the options in the environment itself.

uv reads none of pip's settings, and a machine that installs with pip through a mirror, a proxy or a company's
certificate has to go on working (docs/environments.md). The files and their order are pip's:
https://pip.pypa.io/en/stable/topics/configuration/.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..connections import Way
from ..errors import InvalidInput
from ..progress import Progress, silent
from ..spec.environment_packages import redact
from ..spec.parse import Spec, encode, replace
from ..spec.settings import Settings

_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)([^/@]+)@")


class Indexes(Spec):
    """Everything that decides what an installer sees. Addresses may hold passwords: print :meth:`described` only."""

    index_url: str | None = None
    extra_index_urls: list[str] = []
    find_links: list[str] = []
    no_index: bool = False
    trusted_hosts: list[str] = []
    cert: str | None = None
    proxy: str | None = None
    no_proxy: str | None = None
    offline: bool = False

    def __repr__(self) -> str:
        return f"Indexes({self.described()})"

    def described(self) -> str:
        """One line for people and logs, without credentials."""
        parts = ["no index"] if self.no_index else [redact(self.index_url or "the default index")]
        parts += [redact(url) for url in (*self.extra_index_urls, *self.find_links)]
        return ", ".join(parts) + (" (offline)" if self.offline else "")

    def key(self) -> str:
        """A digest of what decides the outcome of a resolution; credentials and the way there do not count."""
        content = [self.index_url, self.extra_index_urls, self.find_links, self.no_index]
        return hashlib.sha256(encode([without_credentials(str(item)) for item in content])).hexdigest()

    def way(self, environ: Mapping[str, str]) -> Way:
        """How this machine itself opens connections by these settings."""
        return Way(environ, ca_bundle=self.cert, proxy=self.proxy, no_proxy=self.no_proxy)

    def proxy_variables(self) -> dict[str, str]:
        """The proxy and its exceptions as variables, in both spellings that programs look for."""
        found = {}
        if self.proxy:
            address = self.proxy if "://" in self.proxy else f"http://{self.proxy}"
            found = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), address)
        if self.no_proxy:
            found["no_proxy"] = self.no_proxy
        return found | {name.upper(): value for name, value in found.items()}

    def secrets(self) -> list[str]:
        """Texts that no log may show: user parts and passwords of the addresses and the proxy."""
        found: set[str] = set()
        for url in (self.index_url, *self.extra_index_urls, *self.find_links, self.proxy):
            match = _CREDENTIALS.match(url or "")
            if match:
                password = match[2].partition(":")[2]
                found |= {match[2], password, unquote(password)}
        return sorted((text for text in found if len(text) > 3), key=len, reverse=True)

    def conceal(self, text: str) -> str:
        """The text without any of the credentials."""
        text = redact(text)
        for secret in self.secrets():
            text = text.replace(secret, "****")
        return text


@dataclass(frozen=True)
class Supply:
    """Where packages come from, and who hears what is waited for meanwhile.

    Args:
        indexes: What an installer sees.
        environ: As ``os.environ``: the variables of whoever fetches.
        progress: Receives plain lines.
    """

    indexes: Indexes
    environ: Mapping[str, str] = field(repr=False)
    progress: Progress = silent

    @property
    def way(self) -> Way:
        """How this machine itself opens connections."""
        return self.indexes.way(self.environ)


def without_credentials(text: str) -> str:
    """Addresses within a text with their ``user:password@`` cut out."""
    return re.sub(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@'\"]+@", r"\1", text)


def pip_settings(environ: Mapping[str, str], *, prefix: str = sys.prefix) -> Indexes:
    """What pip would use on this machine: its configuration files, then ``PIP_*`` variables.

    Args:
        environ: As ``os.environ``; also names the home folder and ``PIP_CONFIG_FILE``.
        prefix: The interpreter's prefix, for the ``site`` file.
    """
    values: dict[str, str] = {}
    for path in _pip_files(environ, prefix):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip itself stops at such a file; whoever only deploys should not
        for section in ("global", "install"):
            if parser.has_section(section):
                values.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    for name, value in environ.items():
        if name.startswith("PIP_") and value:
            values[name[4:].lower().replace("_", "-")] = value
    return Indexes(
        index_url=values.get("index-url"),
        extra_index_urls=values.get("extra-index-url", "").split(),
        find_links=values.get("find-links", "").split(),
        no_index=values.get("no-index", "").lower() in ("1", "true", "yes", "on", "y", "t"),
        trusted_hosts=values.get("trusted-host", "").split(),
        cert=values.get("cert"),
        proxy=values.get("proxy"),
    )


def effective(
    environ: Mapping[str, str],
    settings: Settings,
    options: list[str],
    *,
    credentials: Mapping[str, str] | None = None,
    prefix: str = sys.prefix,
) -> tuple[Indexes, list[str]]:
    """pip's settings, overridden by Sendoff's, completed by an environment's own pip options.

    Args:
        environ: As ``os.environ``; ``${NAME}`` in options is replaced from it, as pip does.
        settings: The home's settings.
        options: ``--index-url …`` and the like, from the environment's pip section.
        credentials: Address without credentials to the same address with them.
        prefix: The interpreter's prefix, for pip's ``site`` file.

    Returns:
        The result, and a note for every place that does not exist and is left out.

    Raises:
        InvalidInput: A variable in an option is not set.
    """
    found = pip_settings(environ, prefix=prefix)
    found = replace(
        found,
        index_url=settings.index_url or found.index_url,
        no_index=found.no_index and settings.index_url is None,
        extra_index_urls=settings.extra_index_urls or found.extra_index_urls,
        find_links=settings.find_links or found.find_links,
        cert=settings.ca_bundle or found.cert,
        proxy=settings.proxy or found.proxy,
        no_proxy=settings.no_proxy,
        offline=settings.offline,
    )
    if settings.wheelhouse:
        found = replace(found, find_links=[settings.wheelhouse, *found.find_links])
    for line in options:
        name, _, value = _expand(line, environ).partition(" ")
        value = (credentials or {}).get(value, value)
        if name == "--index-url":
            found = replace(found, index_url=value, no_index=False)
        elif name == "--extra-index-url":
            found = replace(found, extra_index_urls=[*found.extra_index_urls, value])
        elif name == "--find-links":
            found = replace(found, find_links=[*found.find_links, value])
        elif name == "--trusted-host":
            found = replace(found, trusted_hosts=[*found.trusted_hosts, value])
        elif name == "--no-index":
            found = replace(found, no_index=True, index_url=None, extra_index_urls=[])
    return _existing(found, settings)


def take_credentials(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """Take the passwords out of an environment's pip options, so that it can be stored and shown.

    Returns:
        The lines with addresses without credentials, and those addresses with what was taken out put back.
    """
    kept: list[str] = []
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(" ")
        match = _CREDENTIALS.match(value) if name.startswith("--") else None
        if match and "${" not in match[2]:
            bare = without_credentials(value)
            found[bare] = value
            line = f"{name} {bare}"
        kept.append(line)
    return kept, found


def _existing(found: Indexes, settings: Settings) -> tuple[Indexes, list[str]]:
    notes: list[str] = []

    def is_there(location: str) -> bool:
        path = _local(location)
        if path is None or path.exists():
            return True
        notes.append(f"package source {redact(location)} does not exist and is left out")
        return False

    if settings.wheelhouse and not Path(settings.wheelhouse).expanduser().is_dir():
        raise InvalidInput(
            f"setting wheelhouse: folder {settings.wheelhouse} does not exist",
            hint="Make it, or change the setting (SENDOFF_WHEELHOUSE or settings.toml).",
            field="wheelhouse",
        )
    index = found.index_url
    if index is not None and not is_there(index):
        index = None
    cert = found.cert
    if cert is not None and not Path(cert).expanduser().exists():
        notes.append(f"certificate file {cert} does not exist and is left out")
        cert = None
    kept = replace(
        found,
        index_url=index,
        cert=cert,
        extra_index_urls=list(dict.fromkeys(filter(is_there, found.extra_index_urls))),
        find_links=list(dict.fromkeys(filter(is_there, found.find_links))),
    )
    return kept, notes


def _local(location: str) -> Path | None:
    if location.startswith("file:"):
        return Path(unquote(urlsplit(location).path))
    return None if "://" in location else Path(location).expanduser()


def _expand(line: str, environ: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        found = environ.get(match[1])
        if found is None:
            raise InvalidInput(
                f"pip option {redact(line)!r} needs the variable {match[1]}, which is not set",
                hint=f"Set {match[1]} where sendoff runs.",
                field=match[1],
            )
        return found

    return re.sub(r"\$\{([A-Z0-9_]+)\}", value, line)


def _pip_files(environ: Mapping[str, str], prefix: str) -> list[Path]:
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = Path(environ.get("HOME") or Path.home())
    global_folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    files = [Path(folder) / "pip" / "pip.conf" for folder in global_folders if folder]
    files.append(Path("/etc/pip.conf"))
    if not (named and Path(named).exists()):
        files += [
            home / ".pip" / "pip.conf",
            Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf",
        ]
        if sys.platform == "darwin":
            files.append(home / "Library" / "Application Support" / "pip" / "pip.conf")
    files.append(Path(prefix) / "pip.conf")
    return [*files, Path(named)] if named else files

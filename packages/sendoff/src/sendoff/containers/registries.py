"""Image registries: which one a name means, and who we are there."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Mapping

from ..spec.parse import Spec
from .endpoint import read_config

USER_VARIABLE, PASSWORD_VARIABLE = "SENDOFF_REGISTRY_USERNAME", "SENDOFF_REGISTRY_PASSWORD"
HUB = "docker.io"
TOKEN_USER = "<token>"
"""The user name that Docker's helpers give with an identity token in the password's place."""
_HUB_NAMES = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")


class Credentials(Spec):
    """A user and a password; or :data:`TOKEN_USER` and an identity token. Never printed."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(****)"

    def header(self) -> str:
        """The value of the engine's ``X-Registry-Auth`` (Engine API, "Authentication")."""
        own = {"username": self.username, "password": self.password}
        login = {"identitytoken": self.password} if self.username == TOKEN_USER else own
        return base64.urlsafe_b64encode(json.dumps(login).encode()).decode()


class Logins:
    """Who we are at registries.

    Args:
        environ: As ``os.environ``: ``SENDOFF_REGISTRY_USERNAME`` and ``…_PASSWORD``, ``DOCKER_CONFIG``, ``PATH``.
        own: The setting ``image_registry``: the two variables are for its host, and go to no other.
        given: Credentials that an environment's definition has, by the registry's host.
    """

    def __init__(
        self, environ: Mapping[str, str], *, own: str | None = None, given: Mapping[str, Credentials] | None = None
    ) -> None:
        self._environ, self._given = environ, dict(given or {})
        self._own = host_of(own) if own else None

    def __repr__(self) -> str:
        return "Logins(****)"

    def of(self, registry: str) -> Credentials | None:
        """Credentials of a registry (``host[:port]``): given ones, our two variables, Docker's configuration."""
        if registry in self._given:
            return self._given[registry]
        user, password = self._environ.get(USER_VARIABLE), self._environ.get(PASSWORD_VARIABLE)
        if user and password and registry == self._own:
            return Credentials(username=user, password=password)
        return _docker_login(registry, self._environ)


def host_of(address: str) -> str:
    """``host[:port]`` of a registry's address, which may have a scheme and a path."""
    return address.partition("://")[2].partition("/")[0] if "://" in address else address.partition("/")[0]


def split_reference(reference: str) -> tuple[str, str, str]:
    """``host:port/path/name:tag`` as registry, repository and tag (``latest`` where there is none) or digest."""
    first, _, rest = reference.partition("/")
    if not rest or not re.search(r"[.:]|^localhost$", first):
        first, rest = HUB, reference
    named, _, digest = rest.partition("@")
    name, _, tag = named.partition(":")
    return first, name, digest or tag or "latest"


def _docker_login(registry: str, environ: Mapping[str, str]) -> Credentials | None:
    config = read_config(environ)
    names = [registry, f"https://{registry}", f"https://{registry}/v1/", f"https://{registry}/v2/"]
    names += _HUB_NAMES if registry == HUB else ()
    helpers = config.get("credHelpers")
    helper = next((helpers[name] for name in names if name in helpers), None) if isinstance(helpers, dict) else None
    for program in [one for one in (helper, config.get("credsStore")) if isinstance(one, str)]:
        for name in names:
            found = _from_helper(program, name, environ)
            if found is not None:
                return found
    auths = config.get("auths")
    for name in names:
        entry = auths.get(name) if isinstance(auths, dict) else None
        found = _from_entry(entry) if isinstance(entry, dict) else None
        if found is not None:
            return found
    return None


def _from_entry(entry: Mapping[str, object]) -> Credentials | None:
    if entry.get("identitytoken"):
        return Credentials(username=TOKEN_USER, password=str(entry["identitytoken"]))
    if entry.get("username") and entry.get("password"):
        return Credentials(username=str(entry["username"]), password=str(entry["password"]))
    try:
        user, _, password = base64.b64decode(str(entry.get("auth") or "")).decode().partition(":")
    except ValueError:
        return None
    return Credentials(username=user, password=password.rstrip("\0")) if user and password else None


def _from_helper(program: str, name: str, environ: Mapping[str, str]) -> Credentials | None:
    try:
        done = subprocess.run(
            [f"docker-credential-{program}", "get"],
            input=name,
            capture_output=True,
            text=True,
            timeout=30,
            env=dict(environ),
        )
        found = json.loads(done.stdout)
        return Credentials(username=str(found["Username"]), password=str(found["Secret"]))
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return None

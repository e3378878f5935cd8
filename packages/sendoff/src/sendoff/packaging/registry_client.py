"""An OCI registry over its own protocol: push layers and manifests, read them.

The protocol: https://github.com/opencontainers/distribution-spec.

Credentials come from Docker's configuration or the environment; they reach no message and no file.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..containers.endpoint import read_config
from ..errors import InvalidInput, SendoffError, Unauthorized, Unreachable
from ..spec.parse import Spec

USER_VARIABLE, PASSWORD_VARIABLE = "SENDOFF_REGISTRY_USERNAME", "SENDOFF_REGISTRY_PASSWORD"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_LOCAL = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?\Z")


class Credentials(Spec):
    """A user and a password, or a refresh token. Never printed."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(****)"


def credentials_for(registry: str, environ: Mapping[str, str]) -> Credentials | None:
    """Credentials of a registry: our two variables, then Docker's configuration with its helpers.

    Args:
        registry: ``host[:port]``.
        environ: As ``os.environ``: ``SENDOFF_REGISTRY_USERNAME`` and ``…_PASSWORD``, ``DOCKER_CONFIG``, ``PATH``.
    """
    if environ.get(USER_VARIABLE) and environ.get(PASSWORD_VARIABLE):
        return Credentials(username=environ[USER_VARIABLE], password=environ[PASSWORD_VARIABLE])
    config = read_config(environ)
    names = [registry, f"https://{registry}", f"https://{registry}/v1/", f"https://{registry}/v2/"]
    helpers = config.get("credHelpers")
    helper = helpers.get(registry) if isinstance(helpers, dict) else None
    for program in [one for one in (helper, config.get("credsStore")) if isinstance(one, str)]:
        for name in names:
            found = _from_helper(program, name, environ)
            if found is not None:
                return found
    auths = config.get("auths")
    for name in names:
        entry = auths.get(name) if isinstance(auths, dict) else None
        if not isinstance(entry, dict):
            continue
        if entry.get("username") and entry.get("password"):
            return Credentials(username=str(entry["username"]), password=str(entry["password"]))
        try:
            user, _, password = base64.b64decode(str(entry.get("auth") or "")).decode().partition(":")
        except ValueError:
            continue
        if user and password:
            return Credentials(username=user, password=password.rstrip("\0"))
    return None


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


class RegistryClient:
    """One repository of a registry.

    Args:
        registry: ``host[:port]``; this machine's own may speak plain HTTP, others TLS alone.
        repository: ``path/name``.
        credentials: For it; None to ask without.
        ca: File of certificates to trust instead of the system's.
    """

    def __init__(self, registry: str, repository: str, *, credentials: Credentials | None, ca: str | None) -> None:
        self.registry, self.repository = registry, repository
        self._credentials = credentials
        self._context = ssl.create_default_context(cafile=ca) if ca else ssl.create_default_context()
        self._authorization: str | None = None
        self._plain: bool | None = None

    def has(self, digest: str) -> bool:
        """Whether a blob is there."""
        return self._call("HEAD", f"/blobs/{digest}", allowed=(200, 404))[0] == 200

    def put_blob(self, digest: str, path: Path) -> None:
        """Upload a file; its digest is known."""
        _, headers, _ = self._call("POST", "/blobs/uploads/", allowed=(202,))
        where = headers["location"]
        where += ("&" if "?" in where else "?") + urlencode({"digest": digest})
        with path.open("rb") as file:
            self._call("PUT", where, body=file, length=path.stat().st_size, allowed=(201,))

    def put_bytes(self, data: bytes) -> str:
        """Upload some bytes unless they are there; their digest."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if not self.has(digest):
            _, headers, _ = self._call("POST", "/blobs/uploads/", allowed=(202,))
            where = headers["location"]
            where += ("&" if "?" in where else "?") + urlencode({"digest": digest})
            self._call("PUT", where, body=data, length=len(data), allowed=(201,))
        return digest

    def put_manifest(self, manifest: bytes, tag: str) -> str:
        """Give an image its tag; the manifest's digest."""
        self._call("PUT", f"/manifests/{tag}", body=manifest, length=len(manifest), kind=MANIFEST_TYPE, allowed=(201,))
        return f"sha256:{hashlib.sha256(manifest).hexdigest()}"

    def manifest(self, reference: str) -> tuple[dict[str, Any], str]:
        """An image's manifest and its digest.

        Raises:
            InvalidInput: There is no image of that name.
        """
        status, headers, data = self._call("GET", f"/manifests/{reference}", accept=MANIFEST_TYPE, allowed=(200, 404))
        if status == 404:
            raise InvalidInput(f"{self.registry}/{self.repository} has no image {reference}", field="image")
        return json.loads(data), headers.get("docker-content-digest") or f"sha256:{hashlib.sha256(data).hexdigest()}"

    def blob(self, digest: str) -> bytes:
        """A blob's bytes, compared with its digest."""
        data = self._call("GET", f"/blobs/{digest}", allowed=(200,))[2]
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            raise Unreachable(f"the registry {self.registry} answered other bytes than {digest}")
        return data

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        length: int = 0,
        kind: str = "application/octet-stream",
        accept: str | None = None,
        allowed: tuple[int, ...],
    ) -> tuple[int, dict[str, str], bytes]:
        target = path if path.startswith(("http", "/v2/")) else f"/v2/{self.repository}{path}"
        for attempt in (1, 2):
            headers = {"Content-Length": str(length), "Content-Type": kind} if body is not None else {}
            if method == "POST":
                headers["Content-Length"] = "0"
            if accept:
                headers["Accept"] = accept
            if self._authorization:
                headers["Authorization"] = self._authorization
            if attempt == 2 and hasattr(body, "seek"):
                body.seek(0)
            status, answered, data = self._send(method, target, headers, body)
            if status == 401 and attempt == 1 and self._authorize(answered.get("www-authenticate", "")):
                continue
            break
        if status in allowed:
            return status, answered, data
        raise self._refused(status, data)

    def _send(self, method: str, target: str, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        host = parts.netloc or self.registry
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if parts.netloc and parts.netloc != self.registry:
            headers = {name: value for name, value in headers.items() if name != "Authorization"}
        link = self._link(host)
        try:
            link.request(method, path, body=body, headers=headers)
            answer = link.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            link.close()

    def _link(self, host: str) -> http.client.HTTPConnection:
        if self._plain is None:
            self._plain = bool(_LOCAL.match(self.registry)) and not self._speaks_tls()
        if self._plain:
            return http.client.HTTPConnection(host, timeout=120)
        return http.client.HTTPSConnection(host, timeout=120, context=self._context)

    def _speaks_tls(self) -> bool:
        link = http.client.HTTPSConnection(self.registry, timeout=10, context=self._context)
        try:
            link.connect()
        except ssl.SSLCertVerificationError:
            return True
        except (ssl.SSLError, ConnectionResetError):
            return False
        except OSError as error:
            raise self._unreachable(error) from None
        finally:
            link.close()
        return True

    def _authorize(self, challenge: str) -> bool:
        """Answer a 401's challenge; False when there is nothing to answer with."""
        scheme, _, rest = challenge.partition(" ")
        values = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        given = self._credentials
        basic = None
        if given is not None:
            basic = "Basic " + base64.b64encode(f"{given.username}:{given.password}".encode()).decode()
        if scheme.lower() == "basic":
            self._authorization = basic
            return basic is not None
        if scheme.lower() != "bearer" or "realm" not in values:
            return False
        query = {"service": values.get("service", ""), "scope": f"repository:{self.repository}:pull,push"}
        parts = urlsplit(f"{values['realm']}?{urlencode({k: v for k, v in query.items() if v})}")
        link: http.client.HTTPConnection
        if parts.scheme == "https":
            link = http.client.HTTPSConnection(parts.netloc, timeout=60, context=self._context)
        else:
            link = http.client.HTTPConnection(parts.netloc, timeout=60)
        try:
            link.request("GET", f"{parts.path}?{parts.query}", headers={"Authorization": basic} if basic else {})
            answer = link.getresponse()
            found = json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreachable(error) from None
        finally:
            link.close()
        token = found.get("token") or found.get("access_token")
        if not token:
            return False
        self._authorization = f"Bearer {token}"
        return True

    def _unreachable(self, error: Exception) -> Unreachable:
        hint = "Check the setting image_registry and that it runs."
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "Name the file of its certificate in the setting ca_bundle."
        return Unreachable(f"the registry {self.registry} cannot be reached: {error}", hint=hint)

    def _refused(self, status: int, data: bytes) -> SendoffError:
        try:
            said = "; ".join(str(one.get("message") or one.get("code")) for one in json.loads(data)["errors"])
        except (ValueError, KeyError, TypeError, AttributeError):
            said = data[:200].decode("utf-8", "replace").strip()
        where = f"{self.registry}/{self.repository}"
        if status in (401, 403):
            return Unauthorized(
                f"the registry {self.registry} does not let us into {self.repository}: {said or status}",
                hint=f"Run: docker login {self.registry}; or set {USER_VARIABLE} and {PASSWORD_VARIABLE}.",
            )
        return Unreachable(f"the registry refused {where}: {said or status}", status=status)


def split_reference(reference: str) -> tuple[str, str, str]:
    """``host:port/path/name:tag`` as registry, repository and tag (``latest`` where there is none)."""
    first, _, rest = reference.partition("/")
    if not rest or not re.search(r"[.:]|^localhost$", first):
        first, rest = "docker.io", reference
    name, _, tag = rest.partition(":")
    return first, name, tag or "latest"

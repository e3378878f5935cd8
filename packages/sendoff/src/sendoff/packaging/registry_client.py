"""An OCI registry over its own protocol: push layers and manifests, read them.

The protocol: https://github.com/opencontainers/distribution-spec.

Credentials reach no message and no file.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from ..connections import Way
from ..containers.registries import HUB, PASSWORD_VARIABLE, TOKEN_USER, USER_VARIABLE, Credentials
from ..errors import InvalidInput, SendoffError, Unauthorized, Unreachable
from .image_layers import Hashing, Writable

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_ACCEPTED = ", ".join(
    (
        MANIFEST_TYPE,
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)
_HUB_HOST = "registry-1.docker.io"
_REDIRECTS, _SECONDS, _CHUNK = 6, 120.0, 1 << 20
_LOCAL = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?\Z")


class RegistryClient:
    """One repository of a registry.

    Args:
        registry: ``host[:port]``; this machine's own may speak plain HTTP, others TLS alone.
        repository: ``path/name``.
        credentials: For it; None to ask without.
        way: How connections are opened.
        push: Whether anything will be written there; a token for reading is all that is asked for otherwise.
    """

    def __init__(
        self, registry: str, repository: str, *, credentials: Credentials | None, way: Way, push: bool = False
    ) -> None:
        self.registry, self.repository = registry, repository
        self._host = _HUB_HOST if registry == HUB else registry
        if registry == HUB and "/" not in repository:
            self.repository = f"library/{repository}"
        self._credentials, self._way = credentials, way
        self._actions = "pull,push" if push else "pull"
        self._authorization: str | None = None
        self._plain: bool | None = None

    def has(self, digest: str) -> bool:
        """Whether a blob is there."""
        return self._call("HEAD", f"/blobs/{digest}", allowed=(200, 404))[0] == 200

    def put_blob(self, digest: str, path: Path) -> None:
        """Upload a file; its digest is known."""
        with path.open("rb") as file:
            self._upload(digest, file, path.stat().st_size)

    def put_bytes(self, data: bytes) -> str:
        """Upload some bytes unless they are there; their digest."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if not self.has(digest):
            self._upload(digest, data, len(data))
        return digest

    def put_manifest(self, manifest: bytes, tag: str) -> str:
        """Give an image its tag; the manifest's digest."""
        self._call("PUT", f"/manifests/{tag}", body=manifest, length=len(manifest), kind=MANIFEST_TYPE, allowed=(201,))
        return f"sha256:{hashlib.sha256(manifest).hexdigest()}"

    def manifest(self, reference: str, *, architecture: str = "amd64") -> tuple[dict[str, Any], str]:
        """An image's manifest and its digest; of an index, that of the image for this kind of machine.

        Raises:
            InvalidInput: There is no image of that name, or none for this kind of machine.
        """
        status, headers, data = self._call("GET", f"/manifests/{reference}", accept=_ACCEPTED, allowed=(200, 404))
        where = f"{self.registry}/{self.repository}"
        if status == 404:
            raise InvalidInput(f"{where} has no image {reference}", field="image")
        found = json.loads(data)
        if found.get("manifests") is not None:
            for one in found["manifests"]:
                platform = one.get("platform") or {}
                if (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
                    return self.manifest(str(one["digest"]), architecture=architecture)
            raise InvalidInput(f"{where}:{reference} has no image for linux/{architecture}", field="image")
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if reference.startswith("sha256:") and reference != digest:
            raise Unreachable(f"the registry {self.registry} answered another manifest than {reference}")
        return found, headers.get("docker-content-digest") or digest

    def blob(self, digest: str) -> bytes:
        """A blob's bytes, compared with its digest."""
        data = self._call("GET", f"/blobs/{digest}", allowed=(200,))[2]
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            raise Unreachable(f"the registry {self.registry} answered other bytes than {digest}")
        return data

    def blob_to(self, digest: str, path: Path) -> None:
        """Write a blob to a file, compared with its digest."""
        with path.open("wb") as file:
            out = Hashing(file)
            self._call("GET", f"/blobs/{digest}", allowed=(200,), out=out)
        if out.digest != digest:
            raise Unreachable(f"the registry {self.registry} answered other bytes than {digest}")

    def _upload(self, digest: str, body: Any, length: int) -> None:
        _, headers, _ = self._call("POST", "/blobs/uploads/", allowed=(202,))
        where = headers["location"]
        where += ("&" if "?" in where else "?") + urlencode({"digest": digest})
        self._call("PUT", where, body=body, length=length, allowed=(201,))

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
        out: Writable | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        target = path if path.startswith(("http", "/v2/")) else f"/v2/{self.repository}{path}"
        asked = False
        for _ in range(_REDIRECTS):
            headers = {"Content-Length": str(length), "Content-Type": kind} if body is not None else {}
            if method == "POST":
                headers["Content-Length"] = "0"
            if accept:
                headers["Accept"] = accept
            if self._authorization:
                headers["Authorization"] = self._authorization
            if hasattr(body, "seek"):
                body.seek(0)
            status, answered, data = self._send(method, target, headers, body, out)
            if status == 401 and not asked and self._authorize(answered.get("www-authenticate", "")):
                asked = True
                continue
            if method in ("GET", "HEAD") and status in (301, 302, 303, 307, 308) and answered.get("location"):
                target = urljoin(target, answered["location"])
                continue
            break
        if status in allowed:
            return status, answered, data
        raise self._refused(status, data)

    def _send(
        self, method: str, target: str, headers: dict[str, str], body: Any, out: Writable | None
    ) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        host = parts.netloc or self._host
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if parts.netloc and parts.netloc != self._host:
            # Where a registry keeps its blobs: the address holds what lets us in there.
            headers = {name: value for name, value in headers.items() if name != "Authorization"}
        scheme = "https" if parts.scheme == "https" or not self._speaks_plain() else "http"
        link = self._way.link(scheme, host, _SECONDS)
        try:
            link.request(method, path, body=body, headers=headers)
            answer = link.getresponse()
            facts = {name.lower(): value for name, value in answer.getheaders()}
            if out is None or answer.status != 200:
                return answer.status, facts, answer.read()
            while data := answer.read(_CHUNK):
                out.write(data)
            return answer.status, facts, b""
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            link.close()

    def _speaks_plain(self) -> bool:
        if self._plain is None:
            self._plain = bool(_LOCAL.match(self.registry)) and not self._speaks_tls()
        return self._plain

    def _speaks_tls(self) -> bool:
        link = self._way.link("https", self._host, 10)
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
        if given is not None and given.username != TOKEN_USER:
            basic = "Basic " + base64.b64encode(f"{given.username}:{given.password}".encode()).decode()
        if scheme.lower() == "basic":
            self._authorization = basic
            return basic is not None
        if scheme.lower() != "bearer" or "realm" not in values:
            return False
        parts = urlsplit(values["realm"])
        if parts.scheme != "https" and given is not None and not _LOCAL.match(parts.netloc):
            raise Unreachable(
                f"the registry {self.registry} wants the password sent to {parts.netloc} without encryption: not done",
                hint="Its token server has to be an https address.",
            )
        query = {"service": values.get("service", ""), "scope": f"repository:{self.repository}:{self._actions}"}
        query = {name: value for name, value in query.items() if value}
        link = self._way.link(parts.scheme, parts.netloc, 60)
        try:
            if given is not None and given.username == TOKEN_USER:
                form = {"grant_type": "refresh_token", "refresh_token": given.password, "client_id": "sendoff", **query}
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                link.request("POST", parts.path or "/", body=urlencode(form), headers=kind)
            else:
                path = f"{parts.path or '/'}?{'&'.join(filter(None, [parts.query, urlencode(query)]))}"
                link.request("GET", path, headers={"Authorization": basic} if basic else {})
            answer = link.getresponse()
            found = json.loads(answer.read() or b"{}")
            if not isinstance(found, dict):
                raise ValueError("its token server's answer is no object")
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
        hint = self._way.advice(error, "https", self._host) or "Check the setting image_registry and that it runs."
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
                hint=f"Run: docker login {self.registry}; or set {USER_VARIABLE} and {PASSWORD_VARIABLE}, "
                "which are for the registry of the setting image_registry.",
            )
        return Unreachable(f"the registry refused {where}: {said or status}", status=status)

"""An OCI registry over its own protocol: push layers and manifests, read them.

The protocol: https://github.com/opencontainers/distribution-spec.

Credentials reach no message and no file.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from ..connections import Way
from ..errors import InvalidInput, SendoffError, Unauthorized, Unreachable
from .hashing import Hashing
from .registries import HUB, PASSWORD_VARIABLE, TOKEN_USER, USER_VARIABLE, Credentials

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
_MOVED = (301, 302, 303, 307, 308)
_LOCAL = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?\Z")


class RegistryClient:
    """One repository of a registry.

    Args:
        registry: ``host[:port]``; this machine's own may speak plain HTTP, others TLS alone.
        repository: ``path/name``.
        credentials: For it; None to ask without.
        way: How connections are opened.
        push: Whether anything will be written there; a token for reading is all that is asked for otherwise.
        beside: Another repository of it, whose blobs are to be mounted here.
    """

    def __init__(
        self,
        registry: str,
        repository: str,
        *,
        credentials: Credentials | None,
        way: Way,
        push: bool = False,
        beside: str | None = None,
    ) -> None:
        self.registry, self.repository = registry, repository
        self._host = _HUB_HOST if registry == HUB else registry
        if registry == HUB and "/" not in repository:
            self.repository = f"library/{repository}"
        self._credentials, self._way = credentials, way
        self._scopes = [f"repository:{self.repository}:{'pull,push' if push else 'pull'}"]
        self._scopes += [f"repository:{beside}:pull"] if beside is not None else []
        self._authorization: str | None = None
        self._plain: bool | None = None

    def has(self, digest: str) -> bool:
        """Whether a blob is there."""
        return self._call("HEAD", f"/blobs/{digest}", allowed=(200, 404))[0] == 200

    def has_image(self, reference: str) -> bool:
        """Whether there is an image of that tag or digest."""
        return self._call("HEAD", f"/manifests/{reference}", accept=_ACCEPTED, allowed=(200, 404))[0] == 200

    def mount(self, digest: str, repository: str) -> bool:
        """Have a blob of another repository of this registry in this one, without a byte sent; whether it is."""
        query = urlencode({"mount": digest, "from": repository})
        # Who may not read there, by the token that was given, may still send the blob.
        status, headers, _ = self._call("POST", f"/blobs/uploads/?{query}", allowed=(201, 202, 401, 403))
        if status == 202 and headers.get("location"):  # it opened an upload instead, which nobody will use
            with contextlib.suppress(SendoffError):
                self._call("DELETE", headers["location"], allowed=(204, 404, 405))
        return status == 201

    def put_stream(self, digest: str, pieces: Callable[[], Iterator[bytes]], size: int) -> None:
        """Upload a blob of known digest and size as it comes; it is asked for again where it has to be sent again."""
        self._upload(digest, pieces, size)

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
        found, digest, _ = self.resolve(reference, architecture=architecture)
        return found, digest

    def resolve(self, reference: str, *, architecture: str = "amd64") -> tuple[dict[str, Any], str, str]:
        """As :meth:`manifest`, and the digest that the reference itself stands for, which may be an index's."""
        status, _, data = self._call("GET", f"/manifests/{reference}", accept=_ACCEPTED, allowed=(200, 404))
        where = f"{self.registry}/{self.repository}"
        if status == 404:
            raise InvalidInput(f"{where} has no image {reference}", field="image")
        found = json.loads(data)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if reference.startswith("sha256:") and reference != digest:
            raise Unreachable(f"the registry {self.registry} answered another manifest than {reference}")
        if found.get("manifests") is not None:
            for one in found["manifests"]:
                platform = one.get("platform") or {}
                if (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
                    return (*self.manifest(str(one["digest"]), architecture=architecture), digest)
            raise InvalidInput(f"{where}:{reference} has no image for linux/{architecture}", field="image")
        return found, digest, digest

    def blob(self, digest: str) -> bytes:
        """A blob's bytes, compared with its digest."""
        return b"".join(self.pieces(digest))

    def blob_to(self, digest: str, path: Path) -> None:
        """Write a blob to a file, compared with its digest."""
        with path.open("wb") as file:
            for data in self.pieces(digest):
                file.write(data)

    def pieces(self, digest: str) -> Iterator[bytes]:
        """A blob as it comes; at its end it is compared with its digest."""
        out = Hashing(None)
        with self._answer("GET", f"/blobs/{digest}", {}) as (status, _, answer):
            if status != 200:
                raise self._refused(status, answer.read())
            while data := answer.read(_CHUNK):
                out.write(data)
                yield data
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
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {"Content-Length": str(length), "Content-Type": kind} if body is not None else {}
        if method == "POST":
            headers["Content-Length"] = "0"
        if accept:
            headers["Accept"] = accept
        with self._answer(method, path, headers, body) as (status, facts, answer):
            data = answer.read()
        if status in allowed:
            return status, facts, data
        raise self._refused(status, data, writes=method not in ("GET", "HEAD"))

    @contextlib.contextmanager
    def _answer(
        self, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> Iterator[tuple[int, dict[str, str], http.client.HTTPResponse]]:
        """What is answered, to be read within: redirections followed, a password or token given once it is asked for.

        ``body`` is bytes, an open file, or a callable that gives the pieces from the first one on.
        """
        target = path if path.startswith(("http", "/v2/")) else f"/v2/{self.repository}{path}"
        asked = False
        for left in reversed(range(_REDIRECTS)):
            if hasattr(body, "seek"):
                body.seek(0)
            link, where, sent = self._link(target, headers)
            try:
                link.request(method, where, body=body() if callable(body) else body, headers=sent)
                answer = link.getresponse()
                facts = {name.lower(): value for name, value in answer.getheaders()}
                if answer.status == 401 and not asked and left:
                    asked = True
                    if self._authorize(facts.get("www-authenticate", "")):
                        continue
                if method in ("GET", "HEAD") and answer.status in _MOVED and facts.get("location") and left:
                    target = urljoin(target, facts["location"])
                    continue
                yield answer.status, facts, answer
                return
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from None
            finally:
                link.close()

    def _link(self, target: str, headers: dict[str, str]) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
        """A connection for an address, the path to ask for there, and the headers that it may see."""
        parts = urlsplit(target)
        host = parts.netloc or self._host
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # Where a registry keeps its blobs, on another host, the address holds what lets us in there.
        if self._authorization and host == self._host:
            headers = {**headers, "Authorization": self._authorization}
        scheme = "https" if parts.scheme == "https" or not self._speaks_plain() else "http"
        return self._way.link(scheme, host, _SECONDS), path, headers

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
        query = [(name, value) for name, value in [("service", values.get("service", ""))] if value]
        link = self._way.link(parts.scheme, parts.netloc, 60)
        try:
            if given is not None and given.username == TOKEN_USER:
                # Several scopes are one parameter here, with blanks between (…/spec/auth/oauth/).
                form = [("grant_type", "refresh_token"), ("refresh_token", given.password), ("client_id", "sendoff")]
                form += [*query, ("scope", " ".join(self._scopes))]
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                link.request("POST", parts.path or "/", body=urlencode(form), headers=kind)
            else:
                query += [("scope", scope) for scope in self._scopes]
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
        if isinstance(error, ssl.SSLCertVerificationError):
            said = f"has a certificate that is not trusted here: {error.verify_message}"
            return Unreachable(f"the registry {self.registry} {said}", hint=hint, reason="certificate")
        return Unreachable(f"the registry {self.registry} cannot be reached: {error}", hint=hint, reason="connection")

    def _refused(self, status: int, data: bytes, *, writes: bool = False) -> SendoffError:
        try:
            said = "; ".join(str(one.get("message") or one.get("code")) for one in json.loads(data)["errors"])
        except (ValueError, KeyError, TypeError, AttributeError):
            said = data[:200].decode("utf-8", "replace").strip()
        where = f"{self.registry}/{self.repository}"
        if status == 401:
            return Unauthorized(
                f"the registry {self.registry} does not let us into {self.repository}: {said or status}",
                hint=f"Run: docker login {self.registry}; or set {USER_VARIABLE} and {PASSWORD_VARIABLE}, "
                "which are for the registry of the setting image_registry.",
                reason="login",
            )
        if status == 403:
            given = self._credentials
            who = f"the user {given.username!r}" if given is not None and given.username != TOKEN_USER else "us"
            return Unauthorized(
                f"the registry {self.registry} knows {who} and forbids to {'write' if writes else 'read'} "
                f"{self.repository}: {said or status}",
                hint=f"Ask whoever runs it for the right to {'push to' if writes else 'pull'} {where}, or log in as "
                f"somebody who has it: docker login {self.registry}",
                reason="forbidden",
            )
        return Unreachable(f"the registry refused {where}: {said or status}", status=status, reason="refused")

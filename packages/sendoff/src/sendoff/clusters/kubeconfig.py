"""Which API server is meant and who we are there: a kubeconfig's context, or the account of the pod that we run in.

The format is that of `kubectl` (kubernetes.io, "Organizing Cluster Access Using kubeconfig Files"); nothing of it is
kept but the path of the file and the name of the context.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import ssl
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import InvalidInput, TargetUnavailable, Unauthorized
from ..spec.parse import did_you_mean

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_EXEC_SECONDS = 30.0
_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_SPARE_SECONDS = 30.0


@dataclass
class Login:
    """An API server and what it is shown; ``namespace`` is the context's own, empty for none.

    ``renew`` is an exec plugin as the kubeconfig has it.
    """

    server: str
    namespace: str = ""
    context: str = ""
    authority: bytes = field(default=b"", repr=False)
    server_name: str = ""
    insecure: bool = False
    proxy: str = ""
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    basic: tuple[str, str] | None = field(default=None, repr=False)
    pair: tuple[bytes, bytes] | None = field(default=None, repr=False)
    renew: Mapping[str, Any] | None = field(default=None, repr=False)
    folder: Path = Path()
    _until: float = 0.0

    def headers(self) -> dict[str, str]:
        """What each request carries.

        Raises:
            Unauthorized: The exec plugin gives nothing, or the token's file cannot be read.
        """
        if self.renew is not None and time.time() > self._until:
            self._run_plugin()
        if self.token_file is not None:
            # The kubelet replaces it before it ends.
            try:
                self.token = self.token_file.read_text("utf-8").strip()
            except OSError as error:
                raise Unauthorized(
                    f"the token of {self.context} cannot be read: {self.token_file}: {error.strerror}",
                    hint="The kubeconfig's tokenFile has to be there; in a pod, the account's token has to be mounted.",
                    reason="token",
                ) from None
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.basic is not None:
            return {"Authorization": "Basic " + base64.b64encode(":".join(self.basic).encode()).decode()}
        return {}

    def forget(self) -> bool:
        """Ask the exec plugin anew with the next request; False where there is none."""
        self._until = 0.0
        return self.renew is not None

    def tls(self) -> ssl.SSLContext | None:
        """What the connection trusts and shows; None where the system's certificates do.

        Raises:
            InvalidInput: Certificate or key is none.
        """
        if self.renew is not None and time.time() > self._until:
            self._run_plugin()
        if not (self.authority or self.insecure or self.pair or self.server_name):
            return None
        try:
            made = _Named(ssl.PROTOCOL_TLS_CLIENT)
            made.name = self.server_name
            if self.authority:
                made.load_verify_locations(cadata=self.authority.decode())
            else:
                made.load_default_certs()
            # Authorities of clusters are often older than what strict checking wants of them.
            made.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if self.insecure:
                made.check_hostname = False
                made.verify_mode = ssl.CERT_NONE
            if self.pair is not None:
                _show(made, *self.pair)
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise InvalidInput(
                f"the certificates of context {self.context!r} cannot be read: {error}",
                hint=f"`kubectl --context {self.context} get namespaces` should work; renew the kubeconfig.",
                field="kubeconfig",
            ) from None
        return made

    def _run_plugin(self) -> None:
        assert self.renew is not None
        command, version = str(self.renew.get("command", "")), str(self.renew.get("apiVersion", ""))
        what = f"the plugin {command!r} that context {self.context!r} logs in with"
        advice = f"`kubectl --context {self.context} get namespaces` runs it too: mend it there."
        if version not in _EXEC_VERSIONS:
            raise InvalidInput(
                f"{what} is of version {version or 'none'}",
                hint=f"Versions that are spoken here: {', '.join(_EXEC_VERSIONS)}.",
                field="kubeconfig",
            )
        asked = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
        variables = {str(one.get("name")): str(one.get("value")) for one in self.renew.get("env") or []}
        program = str(self.folder / command) if "/" in command and not command.startswith("/") else command
        try:
            done = subprocess.run(
                [program, *map(str, self.renew.get("args") or [])],
                env={**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(asked)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_EXEC_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            install = str(self.renew.get("installHint") or "").strip()
            raise Unauthorized(f"{what} is not on this machine", hint=install or advice, reason="exec") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            why = f"gave no answer in {_EXEC_SECONDS:.0f} s" if isinstance(error, subprocess.TimeoutExpired) else error
            raise Unauthorized(f"{what} failed: {why}", hint=advice, reason="exec") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            told = said[-1] if said else "it said nothing"
            raise Unauthorized(f"{what} ended with {done.returncode}: {told}", hint=advice, reason="exec")
        try:
            status = dict(json.loads(done.stdout)["status"])
        except (ValueError, KeyError, TypeError):
            raise Unauthorized(f"{what} gave no credential", hint=advice, reason="exec") from None
        self.token = str(status.get("token") or "")
        certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        if certificate and key:
            self.pair = (certificate.encode(), key.encode())
        self._until = _unix(status.get("expirationTimestamp")) - _SPARE_SECONDS


class _Named(ssl.SSLContext):
    """Asks for, and checks, another name than the address's where it has one (``tls-server-name``)."""

    name = ""

    def wrap_socket(self, *given: Any, **named: Any) -> ssl.SSLSocket:
        if self.name:
            named["server_hostname"] = self.name
        return super().wrap_socket(*given, **named)


def _unix(text: object) -> float:
    import datetime

    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return float("inf")  # until the server refuses it


def in_cluster() -> Login:
    """Who we are in a pod.

    Raises:
        TargetUnavailable: This is no pod, or one that is shown no token.
    """
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    token, authority = _POD / "token", _POD / "ca.crt"
    if not host or not token.is_file():
        raise TargetUnavailable(
            "this process does not run in a pod with a service account's token",
            hint="Attach the cluster with --kubeconfig, or let the pod have automountServiceAccountToken.",
            reason="not_in_cluster",
        )
    name = f"[{host}]" if ":" in host else host
    namespace = _POD / "namespace"
    return Login(
        server=f"https://{name}:{port}",
        namespace=namespace.read_text().strip() if namespace.is_file() else "",
        context="the pod's own account",
        authority=authority.read_bytes() if authority.is_file() else b"",
        token_file=token,
    )


def paths(given: str | None, environ: Mapping[str, str]) -> list[Path]:
    """The files that are read, of which the first counts that has a name: the given one, KUBECONFIG's, kubectl's."""
    listed = [Path(one).expanduser() for one in (given or environ.get("KUBECONFIG", "")).split(os.pathsep) if one]
    return listed or [Path("~/.kube/config").expanduser()]


def contexts(files: list[Path]) -> list[str]:
    """Names of the contexts in kubeconfigs; none where there is no such file."""
    return [name for path in files if path.is_file() for name in _named(_read(path), "contexts")]


def login(files: list[Path], context: str | None = None) -> Login:
    """A context of kubeconfigs, by default the current one.

    Raises:
        InvalidInput: No such file or context, or a part of it is none; context names the field.
    """
    there = [path for path in files if path.is_file()]
    if not there:
        raise InvalidInput(
            f"there is no kubeconfig {', '.join(map(str, files))}",
            hint="Name one with --kubeconfig FILE; `kubectl config view` shows what kubectl reads.",
            field="kubeconfig",
            missing=str(files[0]),
        )
    read = {path: _read(path) for path in there}
    name = context or next((str(one["current-context"]) for one in read.values() if one.get("current-context")), "")
    known = [one for found in read.values() for one in _named(found, "contexts")]
    where = next(((path, found) for path, found in read.items() if name in _named(found, "contexts")), None)
    if where is None:
        what = f"has no context {name!r}" if name else "has no current context"
        raise InvalidInput(
            f"{', '.join(map(str, there))} {what}",
            hint=did_you_mean(name, known, f"Contexts: {', '.join(known) or 'none'}; choose one with --context."),
            field="context",
            got=name,
        )
    chosen = _named(where[1], "contexts")[name]

    def part(kind: str, wanted: str) -> tuple[Path, dict[str, Any]]:
        for path, found in read.items():
            if wanted in _named(found, kind):
                return path, _named(found, kind)[wanted]
        raise InvalidInput(
            f"context {name!r} of {where[0]} names {wanted!r}, which is not among its {kind}",
            hint="`kubectl config view` shows what there is.",
            field=kind,
        )

    file, cluster = part("clusters", str(chosen.get("cluster", "")))
    user_file, user = part("users", str(chosen["user"])) if chosen.get("user") else (file, {})
    if user.get("auth-provider"):
        raise InvalidInput(
            f"context {name!r} of {user_file} logs in by auth-provider, which Kubernetes has given up",
            hint="Get the kubeconfig anew (`az aks get-credentials`, `gcloud … get-credentials`), then `kubelogin`.",
            field="auth-provider",
        )
    certificate, key = _bytes(user, "client-certificate", user_file), _bytes(user, "client-key", user_file)
    return Login(
        server=str(cluster.get("server", "")).rstrip("/"),
        namespace=str(chosen.get("namespace") or ""),
        context=name,
        authority=_bytes(cluster, "certificate-authority", file),
        server_name=str(cluster.get("tls-server-name") or ""),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        proxy=str(cluster.get("proxy-url") or ""),
        token=str(user.get("token") or ""),
        token_file=_beside(user_file, str(user["tokenFile"])) if user.get("tokenFile") else None,
        basic=(str(user["username"]), str(user.get("password", ""))) if user.get("username") else None,
        pair=(certificate, key) if certificate and key else None,
        renew=user.get("exec"),
        folder=user_file.parent,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        # Not the line itself: kubeconfigs hold keys.
        said = f"line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark is not None else str(error)
        raise InvalidInput(
            f"{path} is no kubeconfig: {said}",
            hint="`kubectl config view --raw` prints one.",
            field="kubeconfig",
            path=str(path),
        ) from None
    if found is None:
        return {}
    if not isinstance(found, dict) or found.get("kind", "Config") != "Config":
        raise InvalidInput(
            f"{path} is no kubeconfig: it is not a mapping of kind Config",
            hint="`kubectl config view --raw` prints one.",
            field="kubeconfig",
            path=str(path),
        )
    return found


def _named(found: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    entries = [one for one in found.get(kind) or [] if isinstance(one, dict)]
    return {str(one.get("name")): one.get(kind[:-1]) or {} for one in entries}


def _bytes(part: Mapping[str, Any], name: str, file: Path) -> bytes:
    data, path = part.get(f"{name}-data"), part.get(name)
    try:
        if data:
            return base64.b64decode(data, validate=True)
        return _beside(file, str(path)).read_bytes() if path else b""
    except (OSError, binascii.Error) as error:
        raise InvalidInput(f"{file}: {name} cannot be read: {error}", hint="Get the file anew.", field=name) from None


def _beside(file: Path, path: str) -> Path:
    return file.parent / Path(path).expanduser()


def _show(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Certificate and key reach the TLS library as files alone: ours alone, and gone at once."""
    with tempfile.TemporaryDirectory(prefix="sendoff-") as folder:
        crt, private = Path(folder) / "crt", Path(folder) / "key"
        crt.write_bytes(certificate)
        private.touch(mode=0o600)
        private.write_bytes(key)
        context.load_cert_chain(crt, private)

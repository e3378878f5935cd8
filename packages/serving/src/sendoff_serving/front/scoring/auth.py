"""Who may score: keys by their digests, tokens by public keys; everything is checked here, offline.

The material comes from one JSON file that holds nothing secret. It is read again when it changes, so a key is
rotated by rewriting the file (written beside it, then renamed):

    {"schema_version": 1,
     "keys": [{"name": "primary", "sha256": "<hex digest of the key>"}, {"name": "secondary", "sha256": "..."}],
     "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "..."}]},
     "audience": "my-service", "issuer": "sendoff",
     "open": ["health", "metrics", "docs"]}

``open`` lists what needs no key: health, metrics, docs, swagger. Callers send ``Authorization: Bearer KEY_OR_TOKEN``.
A key with a ``salt`` (hexadecimal) has the HMAC-SHA256 of the key under it instead of a plain digest.

Whoever supervises the server adds how each revision is guarded, so that an update changes this when it takes over,
and not when it fails: ``auth`` is none, key or token, ``tls`` the name of two files beside this one, without their
suffixes .crt and .key. What is at the top holds for revisions that are not named:

     "auth": "key", "tls": null, "revisions": {"3": {"auth": "none", "tls": null}}
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import Refusal, ServingError
from ...exposition import family
from .tokens import TokenKeys, refusal

GROUPS: dict[str, str] = {
    "/": "health",
    "/health/live": "health",
    "/health/ready": "health",
    "/health/startup": "health",
    "/metrics": "metrics",
    "/docs": "docs",
    "/swagger.json": "swagger",
    "/score": "score",
    "/v2": "swagger",
    "/v2/health/live": "health",
    "/v2/health/ready": "health",
    "/v2/models/{name}": "swagger",
    "/v2/models/{name}/ready": "health",
    "/v2/models/{name}/infer": "score",
}
_MEMBERS = frozenset({"schema_version", "keys", "jwks", "audience", "issuer", "open", "auth", "tls", "revisions"})
_MODES = (None, "none", "key", "token")
_MOST_REMEMBERED = 4096
_LONGEST = 8192
_SAY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Rule:
    """How one revision is guarded: ``auth`` none, key, token, or None for both; ``tls`` the stem of its files."""

    auth: str | None = None
    tls: str | None = None


class _Material:
    """One version of the file's content."""

    def __init__(self, raw: Any, where: str) -> None:
        if not isinstance(raw, dict) or raw.get("schema_version") != 1:
            raise ServingError("auth_invalid", f"{where}: it should be a JSON object of schema_version 1")
        unknown = sorted(set(raw) - _MEMBERS)
        if unknown:
            raise ServingError("auth_invalid", f"{where}: {unknown[0]} is not known")
        self.audience = raw.get("audience")
        self.issuer = raw.get("issuer")
        self.open = frozenset(raw.get("open", ["health", "metrics", "docs"]))
        wrong = self.open - (set(GROUPS.values()) - {"score"})
        if wrong:
            raise ServingError("auth_invalid", f"{where}: open names {sorted(map(str, wrong))[0]!r}, which cannot be")
        try:
            self.keys = [
                (str(key["name"]), bytes.fromhex(key.get("salt", "")), bytes.fromhex(key["sha256"]))
                for key in raw.get("keys", [])
            ]
            self.tokens = TokenKeys(raw.get("jwks"))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ServingError("auth_invalid", f"{where}: a key cannot be read: {error!r}") from None
        if any(len(digest) != 32 for _, _, digest in self.keys):
            raise ServingError("auth_invalid", f"{where}: sha256 should be 64 hexadecimal digits")
        if self.tokens and not self.audience:
            raise ServingError("auth_invalid", f"{where}: tokens need an audience")
        revisions = raw.get("revisions", {})
        if not isinstance(revisions, dict):
            raise ServingError("auth_invalid", f"{where}: revisions should be an object")
        self.rule = _rule(raw, where)
        self._rules = {name: _rule(entry, f"{where}: revisions.{name}") for name, entry in revisions.items()}

    def rule_of(self, revision: str | None) -> Rule:
        return self._rules.get(revision or "", self.rule)


def _rule(raw: Any, where: str) -> Rule:
    auth, tls = (raw.get("auth"), raw.get("tls")) if isinstance(raw, dict) else ("", None)
    if auth not in _MODES or not (tls is None or (isinstance(tls, str) and tls and "/" not in tls)):
        raise ServingError("auth_invalid", f"{where}: auth should be none, key or token, and tls the name of files")
    return Rule(auth, tls)


class Gate:
    """Lets callers in, or says why not.

    Args:
        path: the file of verification material.
        complain: told when a changed file cannot be used, the material before it then stays in force; and how many
            callers were turned away, at most every ten seconds.

    Raises:
        ServingError: the file cannot be used at the start.
    """

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self.path = path
        self._complain = complain
        self._revision: str | None = None
        self._refused: Counter[str] = Counter()
        self._addresses: set[str] = set()
        self._said = 0.0
        self._remembered: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._good: list[tuple[str, bytes]] = []
        self._stamp = self._stamp_of_file()
        self._looked = 0.0
        self._material = self._read()
        self._rule = self._material.rule

    def _stamp_of_file(self) -> tuple[int, int, int]:
        try:
            stat = self.path.stat()
        except OSError:
            return (0, 0, 0)
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)

    def _read(self) -> _Material:
        try:
            text = self.path.read_text("utf-8")
            made = _Material(json.loads(text), str(self.path))
        except (OSError, ValueError) as error:
            raise ServingError("auth_unreadable", f"{self.path} cannot be read: {error}") from None
        self.digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return made

    def exposition(self) -> list[str]:
        """Return the lines of /metrics that tell which version of the file is in force."""
        text = "1 for the keys and rules in force, by the digest of their file."
        return family("access_info", "gauge", text, [({"digest": self.digest}, 1)])

    def refresh(self) -> None:
        """Read the file again if it has changed; called regularly and before a caller is turned away."""
        self._looked = time.monotonic()
        stamp = self._stamp_of_file()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._material = self._read()
        except ServingError as error:
            self._complain(f"The new keys are not used: {error.message}")
            return
        self._apply()

    def _apply(self) -> None:
        """Go by the material's rule for the revision, and forget whom the one before let in."""
        self._rule = self._material.rule_of(self._revision)
        self._remembered.clear()
        self._good.clear()

    def follow(self, revision: str | None) -> None:
        """Go by the rule of a revision from now on."""
        self._revision = revision
        self.refresh()
        self._apply()

    def guards(self, revision: str | None) -> bool:
        """Whether callers of a revision need a key or token."""
        return self._material.rule_of(revision).auth != "none"

    @property
    def guarded(self) -> bool:
        """Whether callers need a key or token now."""
        return self._rule.auth != "none"

    @property
    def tls(self) -> str | None:
        """Stem of the certificate's files beside the file of material; None for plain HTTP."""
        return self._rule.tls

    def tell(self) -> None:
        """Say how many callers were turned away; called regularly."""
        now = time.monotonic()
        if not self._refused or now - self._said < _SAY_SECONDS:
            return
        self._said = now
        reasons = ", ".join(f"{reason} {count}" for reason, count in self._refused.most_common())
        some = sorted(self._addresses)
        places = ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
        self._complain(f"{self._refused.total()} requests had no good key or token: {reasons}; from {places}")
        self._refused.clear()
        self._addresses.clear()

    def admit(self, route: str, known: Mapping[bytes, bytes], address: str = "") -> str | Refusal:
        """Return the name of the caller, or a refusal.

        Args:
            route: path of the route; health, metrics and docs are open as a rule.
            known: the request's headers.
            address: of the client, for the log.
        """
        if self._rule.auth == "none":
            return ""
        if time.monotonic() - self._looked > 0.1:
            self.refresh()  # a key that was taken back is not good for long
        if GROUPS.get(route, "score") in self._material.open:
            return "anonymous"
        found = self._judge(known)
        if isinstance(found, Refusal):
            self._refused[str((found.details or {}).get("error"))] += 1
            if len(self._addresses) < 1000:
                self._addresses.add(address or "a Unix socket")
        return found

    def _judge(self, known: Mapping[bytes, bytes]) -> str | Refusal:
        header = known.get(b"authorization", b"")
        scheme, _, credential = header.strip().partition(b" ")
        credential = credential.strip()
        if scheme.lower() != b"bearer" or not credential:
            what = {"key": "key", "token": "token"}.get(self._rule.auth or "", "key or token")
            return refusal(f"The request needs the header Authorization: Bearer <{what}>", "credentials_missing")
        if len(credential) > _LONGEST:
            return refusal("The key or token is not valid for this service")
        found = self._check(credential)
        if isinstance(found, Refusal) and self._stamp_of_file() != self._stamp:
            self.refresh()  # the caller may hold a key that is a moment old
            found = self._check(credential)
        return found

    def _check(self, credential: bytes) -> str | Refusal:
        mode = self._rule.auth
        digest = hashlib.sha256(credential).digest()
        name = "" if mode == "token" else self._key_name(credential, digest)
        if name:
            return name
        if mode == "key" or not self._material.tokens or credential.count(b".") != 2:
            return refusal("The key or token is not valid for this service")
        remembered = self._remembered.get(digest)
        if remembered is not None and remembered[1] > time.time():
            return remembered[0]
        return self._check_token(credential, digest)

    def _key_name(self, credential: bytes, digest: bytes) -> str:
        """The name of a key, "" for what is none. Every key is compared, each in constant time."""
        name = ""
        for known, expected in self._good:  # keys that were used already, without their salts, which cost time
            if hmac.compare_digest(digest, expected):
                name = known
        if name:
            return name
        for known, salt, expected in self._material.keys:
            if hmac.compare_digest(hmac.digest(salt, credential, "sha256") if salt else digest, expected):
                name = known
        if name:
            self._good.append((name, digest))
        return name

    def _check_token(self, token: bytes, digest: bytes) -> str | Refusal:
        found = self._material.tokens.check(token, self._material.audience, self._material.issuer)
        if isinstance(found, Refusal):
            return found
        self._remembered[digest] = found
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return found[0]


def challenge(refused: Refusal) -> str:
    """Return the value of WWW-Authenticate (RFC 6750 sec. 3): without an error where no credentials were sent."""
    if (refused.details or {}).get("error") == "credentials_missing":
        return "Bearer"
    return f'Bearer error="invalid_token", error_description="{refused.message}"'

"""Identity of a home: keys and certificates of its services, tokens for them, and what scoring servers check by."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import files
from ..errors import InvalidInput
from ..spec.access import Access, Pem
from ..spec.identity import NONE, TOKEN, AccessToken, ServiceKeys
from ..spec.parse import Spec
from . import keys
from .certificates import certificate_id
from .tokens import Signer

if TYPE_CHECKING:
    from ..store import Store

OPEN = ("health", "metrics", "docs")
"""What a service answers without key or token, unless it is told to protect it too."""


class Rule(Spec):
    """How one revision of a service is guarded: ``auth`` is none, key or token; ``certificate`` is PEM text."""

    auth: str = NONE
    certificate: str | None = None


class Identity:
    """Keys, tokens and certificates of a home.

    Args:
        store: Its secrets hold everything that must not be seen.
    """

    def __init__(self, store: Store) -> None:
        self._secrets = store.secrets
        self._home = store.home
        self._signer = Signer(store.secrets)

    def keys(self, uid: str) -> ServiceKeys:
        """Both keys of a service, made where there are none."""
        with self._alone():
            return keys.ensure(self._secrets, uid)

    def supply_keys(self, uid: str, primary_key: str | None, secondary_key: str | None) -> ServiceKeys:
        """Set the keys that are given; make the ones that are not there."""
        with self._alone():
            return keys.ensure(self._secrets, uid, primary_key=primary_key, secondary_key=secondary_key)

    def regenerate(self, uid: str, which: str, value: str | None) -> ServiceKeys:
        """Replace one key; :meth:`publish` then tells the scoring server."""
        with self._alone():
            return keys.regenerate(self._secrets, uid, which, value)

    def token(self, uid: str, user: str = "") -> AccessToken:
        """A token for one service; ``user`` is named in it, by default the one that this process runs as."""
        with self._alone():
            return self._signer.issue(uid, user or _me())

    def rotate_signing_key(self) -> str:
        """Sign tokens with a new key; publish to every service before the next token is used."""
        with self._alone():
            return self._signer.rotate()

    def keep_certificate_key(self, uid: str, certificate: str, key: str) -> None:
        """Store the key of a certificate."""
        self._secrets.set(_tls_name(uid, certificate), key)

    def has_certificate_key(self, uid: str, certificate: str) -> bool:
        """Whether the key of a certificate is stored for a service."""
        return _tls_name(uid, certificate) in self._secrets.list()

    def access(
        self,
        uid: str,
        rules: Mapping[int, Rule],
        newest: int,
        *,
        protected: Sequence[str] = (),
        gateway: bool = False,
    ) -> Access:
        """What the service's scoring server checks by, as it is now; a target hands it over.

        Args:
            uid: The service.
            rules: By revision; the server goes by the one that it serves.
            newest: The revision whose rule holds for any that is not named.
            protected: What else needs key or token: ``health``, ``metrics``, ``docs``.
            gateway: TLS ends before the scoring server, which gets no certificate.
        """
        with self._alone():
            modes = {rule.auth for rule in rules.values()}
            content: dict[str, Any] = {
                "schema_version": 1,
                "audience": uid,
                "open": [name for name in OPEN if name not in protected],
                "keys": keys.digests(keys.find(self._secrets, uid), uid),
            }
            if TOKEN in modes:
                content["issuer"] = self._signer.issuer()
                content["jwks"] = self._signer.jwks()
            content["revisions"] = {str(number): _entry(rule, gateway) for number, rule in rules.items()}
            content |= _entry(rules[newest], gateway)
            pairs = {
                _file_of(rule.certificate): Pem(certificate=rule.certificate, key=self._tls_key(uid, rule.certificate))
                for rule in rules.values()
                if rule.certificate is not None
            }
            own = rules[newest].certificate
            return Access(
                document=content,
                made=self._count(uid),
                certificates=pairs,
                certificate=None if own is None else _file_of(own),
            )

    def _count(self, uid: str) -> int:
        """Orders what is handed over; a clock would not, since it may be set back."""
        name = f"service/{uid}/access"
        made = int(self._secrets.get(name) or 0) + 1
        self._secrets.set(name, str(made))
        return made

    def forget(self, uid: str) -> None:
        """Remove everything of a service that is gone."""
        for name in self._secrets.list():
            if name.startswith(f"service/{uid}/"):
                self._secrets.delete(name)

    def _tls_key(self, uid: str, certificate: str) -> str:
        key = self._secrets.get(_tls_name(uid, certificate))
        if key is None:
            raise InvalidInput(
                "the key of the certificate is not stored",
                hint="Give ssl_cert_pem_file and ssl_key_pem_file again.",
                field="ssl_key_pem_file",
            )
        return key

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with files.locked(self._home / "staging" / "identity.lock"):
            yield


def _entry(rule: Rule, gateway: bool) -> dict[str, Any]:
    seen = None if gateway else rule.certificate
    return {"auth": rule.auth, "tls": None if seen is None else _file_of(seen)}


def _file_of(certificate: str) -> str:
    """What the files of a certificate are called, without their suffixes."""
    return f"tls-{certificate_id(certificate)}"


def _tls_name(uid: str, certificate: str) -> str:
    return f"service/{uid}/tls/{certificate_id(certificate)}"


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in this container
        return "unknown"

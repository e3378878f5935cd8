"""Tokens (spec/behaviour.md sec. 11.3): JWT signed with the home's own key, checked offline by the scoring server.

EdDSA (RFC 8037) with Ed25519, made here (docs/decisions/0008-jwt.md). A home has one issuer and one signing key; a key
that was replaced stays good for as long as a token that it signed can be.
"""

from __future__ import annotations

import base64
import json
import secrets as random
import time
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from ..spec.identity import AccessToken

if TYPE_CHECKING:
    from ..store.secrets import Secrets

LIFETIME = 3600
"""Seconds that a token is good for."""
REFRESH = 0.8
"""Part of its life after which a new one should be asked for."""
SKEW = 30
"""Seconds that clocks may differ."""
_NAME = "identity/signing-keys"


class Signer:
    """Issues tokens for the services of one home; the caller holds the home's identity lock to make or change keys."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def issue(self, audience: str, user: str) -> AccessToken:
        """A token for one service and one user."""
        ring = self.ring()
        newest = ring["keys"][0]
        now = int(time.time())
        header = {"alg": "EdDSA", "typ": "JWT", "kid": newest["kid"]}
        claims = {
            "iss": ring["issuer"],
            "aud": audience,
            "sub": user,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "jti": random.token_hex(16),
        }
        signed = f"{_part(header)}.{_part(claims)}"
        signature = _private(newest).sign(signed.encode())
        return AccessToken(
            access_token=f"{signed}.{_encoded(signature)}",
            token_type="Bearer",
            refresh_after=now + int(LIFETIME * REFRESH),
            expiry_on=now + LIFETIME,
        )

    def rotate(self) -> str:
        """Sign with a new key from now on; its id. Tokens of the one before stay good until they expire."""
        ring = self.ring()
        fresh = _new_key()
        self._keep({"issuer": ring["issuer"], "keys": [fresh, *_still_needed(ring["keys"])]})
        return str(fresh["kid"])

    def issuer(self) -> str:
        """The home's name in tokens."""
        return str(self.ring()["issuer"])

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        keys = []
        for key in self.ring()["keys"]:
            public = _encoded(_private(key).public_key().public_bytes_raw())
            keys.append({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key["kid"], "x": public})
        return {"keys": keys}

    def ring(self) -> dict[str, Any]:
        """Issuer and signing keys, newest first; made when there are none."""
        text = self._secrets.get(_NAME)
        if text is None:
            made = {"issuer": f"sendoff:{random.token_hex(8)}", "keys": [_new_key()]}
            self._keep(made)
            return made
        try:
            found: dict[str, Any] = json.loads(text)
            found["keys"][0]["kid"], found["issuer"]
        except (ValueError, KeyError, TypeError, IndexError):
            raise StoreError("the signing keys are damaged", hint="Remove them; new ones are made.") from None
        return found

    def _keep(self, ring: dict[str, Any]) -> None:
        self._secrets.set(_NAME, json.dumps(ring))


def _still_needed(keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest key retires now; older ones go once nothing that they signed can be good any more."""
    now = time.time()
    kept = []
    for key in keys:
        retired = key.get("retired") or now
        if now - retired <= LIFETIME + SKEW:
            kept.append({**key, "retired": retired})
    return kept


def _new_key() -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return {"kid": random.token_hex(8), "d": _encoded(Ed25519PrivateKey.generate().private_bytes_raw())}


def _private(key: dict[str, Any]) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = str(key["d"])
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _part(content: dict[str, Any]) -> str:
    return _encoded(json.dumps(content, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

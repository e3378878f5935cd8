"""Tokens (JWT, RFC 7519) and the public keys that they are checked with (JWK Set, RFC 7517), all of it offline.

Why this is not a library's: docs/decisions/0008-jwt.md.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import Refusal, ServingError

LEEWAY = 30.0

Verify = Callable[[bytes, bytes], bool]


def refusal(message: str, error: str = "invalid_token") -> Refusal:
    """Return how a caller is turned away; ``error`` is one of the reasons in docs/authentication.md."""
    return Refusal("unauthorized", message, details={"error": error})


@dataclass(frozen=True, slots=True)
class _Key:
    """One public key: its id, None where it has none; the names of its algorithm; how to verify with it."""

    kid: str | None
    algorithms: tuple[str, ...]
    verify: Verify


class TokenKeys:
    """The public keys of those who make tokens: Ed25519 (EdDSA) and P-256 (ES256).

    Keys of other types and for other uses are left alone, as RFC 7517 sec. 5 asks: issuers publish them beside ours.

    Args:
        jwks: content of a JWK Set, or None.

    Raises:
        ServingError: the package cryptography is missing.
        KeyError, TypeError, ValueError, AttributeError: it is no JWK Set, or there are keys and none can be used.
    """

    def __init__(self, jwks: Any) -> None:
        given = [] if jwks is None else jwks.get("keys", [])
        self._keys = [key for jwk in given if _signs(jwk) and (key := _public_key(jwk)) is not None]
        if given and not self._keys:
            kinds = ", ".join(sorted({f"{jwk['kty']} {jwk.get('crv', '')}".strip() for jwk in given}))
            raise ValueError(
                f"of keys {kinds} none verifies tokens; OKP Ed25519 and EC P-256 do, without a use but sig"
            )

    def __bool__(self) -> bool:
        return bool(self._keys)

    def check(self, token: bytes, audience: object, issuer: object) -> tuple[str, float] | Refusal:
        """Return whom a token is for and until when it is good (Unix time), or a refusal.

        Args:
            token: three parts with two dots between them.
            audience: what ``aud`` must name. issuer: what ``iss`` must be; None for anything.
        """
        signed, _, signature = token.rpartition(b".")
        # Until the signature is known to be good, no answer says anything about the token's content.
        try:
            header, claims = (_object(decoded(part)) for part in signed.split(b"."))
            found = self._keys_of(header)
            if isinstance(found, Refusal):
                return found
            given = decoded(signature)
            if not any(key.verify(given, signed) for key in found):
                return refusal("The token's signature is wrong", "token_signature")
            expires = _time(claims["exp"])
            begins = max(_time(claims.get("nbf", 0)), _time(claims.get("iat", 0)))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, binascii.Error):
            return refusal("The token cannot be read", "token_malformed")
        now = time.time()
        if expires <= now - LEEWAY:
            return refusal("The token has expired; get a new one", "token_expired")
        if begins > now + LEEWAY:
            return refusal("The token is not valid yet", "token_not_yet_valid")
        audiences = claims.get("aud")
        audiences = audiences if isinstance(audiences, list) else [audiences]
        if audience not in audiences or not all(isinstance(one, str) for one in audiences):
            return refusal("The token was made for another service", "token_audience")
        if issuer and claims.get("iss") != issuer:
            return refusal("The token was issued by somebody else", "token_issuer")
        return str(claims.get("sub", "token")), expires + LEEWAY

    def _keys_of(self, header: Mapping[str, Any]) -> list[_Key] | Refusal:
        """Return the keys that a token may be signed with: the one it names, or all of its algorithm."""
        found = [key for key in self._keys if "kid" not in header or key.kid == header["kid"]]
        if not found:
            return refusal("The token is signed with a key that this service does not know", "token_key_unknown")
        found = [key for key in found if header.get("alg") in key.algorithms]
        if not found or "crit" in header:  # we know no extension that could be critical
            return refusal("The token's algorithm is not allowed", "token_algorithm")
        return found


def decoded(part: bytes) -> bytes:
    """Decode base64url as RFC 7515 writes it: no padding, nothing but the alphabet, one text for the same bytes.

    Raises:
        ValueError: it is anything else.
    """
    found = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(found).rstrip(b"=") != part:
        raise ValueError("not base64url")
    return found


def _object(text: bytes) -> dict[str, Any]:
    found = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")  # readers differ in which of them counts
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("not a time")
    return float(value)


def _signs(jwk: Mapping[str, Any]) -> bool:
    """Whether a key may be used for what we do with it."""
    return jwk.get("use", "sig") == "sig" and "verify" in jwk.get("key_ops", ["verify"])


def _public_key(jwk: Mapping[str, Any]) -> _Key | None:
    """Read a key; None for one of another type."""
    kind = (jwk["kty"], jwk.get("crv"))
    if kind == ("OKP", "Ed25519"):
        algorithms: tuple[str, ...] = ("EdDSA", "Ed25519")  # the second is its name since RFC 9864
        make = _ed25519
    elif kind == ("EC", "P-256"):
        algorithms, make = ("ES256",), _p256
    else:
        return None
    if jwk.get("alg", algorithms[0]) not in algorithms:
        return None
    try:
        verify = make(jwk)
    except ImportError:
        raise ServingError(
            "extra_missing",
            "Tokens need the package cryptography",
            hint="pip install 'sendoff-serving[tokens]'",
        ) from None
    kid = jwk.get("kid")
    return _Key(None if kid is None else str(kid), algorithms, verify)


def _coordinate(jwk: Mapping[str, Any], name: str) -> bytes:
    return decoded(jwk[name].rstrip("=").encode())


def _ed25519(jwk: Mapping[str, Any]) -> Verify:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key = ed25519.Ed25519PublicKey.from_public_bytes(_coordinate(jwk, "x"))
    return _whether(key.verify)


def _p256(jwk: Mapping[str, Any]) -> Verify:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    x, y = (int.from_bytes(_coordinate(jwk, name), "big") for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    def verify(signature: bytes, signed: bytes) -> None:
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))

    good = _whether(verify)
    return lambda signature, signed: len(signature) == 64 and good(signature, signed)


def _whether(check: Callable[[bytes, bytes], None]) -> Verify:
    """Return what says whether a signature is good, of what raises where it is not."""
    from cryptography.exceptions import InvalidSignature

    def verify(signature: bytes, signed: bytes) -> bool:
        try:
            check(signature, signed)
        except InvalidSignature:
            return False
        return True

    return verify

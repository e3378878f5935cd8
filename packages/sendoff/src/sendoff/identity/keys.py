"""The two keys of a service (spec/behaviour.md sec. 11.2): in the secret store and nowhere else."""

from __future__ import annotations

import hmac
import json
import secrets as random
from typing import TYPE_CHECKING

from ..errors import InvalidInput, StoreError
from ..spec.identity import PRIMARY, ServiceKeys, check_key

if TYPE_CHECKING:
    from ..store.secrets import Secrets


def new_key() -> str:
    """256 bits in 43 letters that need no quoting in a shell or a URL; never one that looks like a flag."""
    while (made := random.token_urlsafe(32)).startswith("-"):
        pass
    return made


def find(secrets: Secrets, uid: str) -> ServiceKeys | None:
    """The keys of a service, if it has any."""
    text = secrets.get(_name(uid))
    if text is None:
        return None
    try:
        stored = json.loads(text)
        return ServiceKeys(primary_key=stored["primary"], secondary_key=stored["secondary"])
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"the keys of service {uid} are damaged", hint="Set them again: regen-key -s KEY.") from None


def keep(secrets: Secrets, uid: str, keys: ServiceKeys) -> ServiceKeys:
    """Store both keys.

    Raises:
        InvalidInput: They are equal: replacing one would then replace nothing.
    """
    if keys.primary_key == keys.secondary_key:
        raise InvalidInput(
            "the primary and the secondary key are the same",
            hint="Give two different keys, or leave one out to have it made.",
            field="secondary_key",
        )
    secrets.set(_name(uid), json.dumps({"primary": keys.primary_key, "secondary": keys.secondary_key}))
    return keys


def ensure(
    secrets: Secrets, uid: str, *, primary_key: str | None = None, secondary_key: str | None = None
) -> ServiceKeys:
    """The keys of a service, made where there are none; those that are given replace what was there."""
    old = find(secrets, uid)
    fresh = ServiceKeys(
        primary_key=primary_key or (old.primary_key if old else new_key()),
        secondary_key=secondary_key or (old.secondary_key if old else new_key()),
    )
    return fresh if fresh == old else keep(secrets, uid, fresh)


def regenerate(secrets: Secrets, uid: str, which: str, value: str | None) -> ServiceKeys:
    """Replace one key; the other stays as it is.

    Args:
        secrets: Where the keys are.
        uid: The service.
        which: Primary or Secondary.
        value: The new key; None makes one.
    """
    old = ensure(secrets, uid)
    fresh = new_key() if value is None else check_key(value, "key_value")
    if which == PRIMARY:
        return keep(secrets, uid, ServiceKeys(primary_key=fresh, secondary_key=old.secondary_key))
    return keep(secrets, uid, ServiceKeys(primary_key=old.primary_key, secondary_key=fresh))


def _name(uid: str) -> str:
    return f"service/{uid}/keys"


def digests(keys: ServiceKeys | None, uid: str) -> list[dict[str, str]]:
    """What tells a service's key from others: HMAC-SHA256 of it under a salt.

    The salt is the key's own, of this service alone, so that the same keys give the same document and nothing is
    written anew wherever it is looked at.
    """
    made = []
    for name, key in (("primary", keys.primary_key), ("secondary", keys.secondary_key)) if keys else ():
        salt = hmac.digest(key.encode(), f"{uid}/{name}".encode(), "sha256")[:16]
        made.append({"name": name, "salt": salt.hex(), "sha256": hmac.digest(salt, key.encode(), "sha256").hex()})
    return made

"""Keys and tokens of a service, as the API takes and gives them (spec/behaviour.md sec. 11)."""

from __future__ import annotations

from ..errors import InvalidInput
from .parse import Spec

PRIMARY, SECONDARY = "Primary", "Secondary"
NONE, KEY, TOKEN = "none", "key", "token"
SERVER_TOKEN = "server-token"
"""Whom a token names that was asked of a server: the holder of the server's own token, and nobody more certain."""

SHORTEST_KEY, LONGEST_KEY = 8, 512


class ServiceKeys(Spec):
    """Both keys of a service; each is good at any time, so that one can be replaced while the other is used."""

    primary_key: str
    secondary_key: str

    def __repr__(self) -> str:
        return "ServiceKeys(values redacted)"


class RegenerateKey(Spec):
    """Body of ``POST …/regenerateKeys``. ``key_type`` is Primary or Secondary in any case, or 0 and 1."""

    key_type: str | int
    key_value: str | None = None
    """The new key; None makes one."""

    def __repr__(self) -> str:
        return f"RegenerateKey(key_type={self.key_type!r}, value redacted)"


class IssueToken(Spec):
    """Body of ``POST …/token``. ``user`` becomes the token's ``sub``; empty is the user that the API runs as.

    A server does not believe it: its tokens name :data:`SERVER_TOKEN`.
    """

    user: str = ""


class AccessToken(Spec):
    """A token for one service; times are Unix seconds. Ask for a new one once ``refresh_after`` has passed."""

    access_token: str
    token_type: str
    refresh_after: int
    expiry_on: int

    def __repr__(self) -> str:
        return f"AccessToken(value redacted, expiry_on={self.expiry_on})"


def which_key(key_type: str | int) -> str:
    """Primary or Secondary, from a name in any case or from 0 and 1.

    Raises:
        InvalidInput: It is neither.
    """
    if key_type in (0, 1) and not isinstance(key_type, bool):
        return (PRIMARY, SECONDARY)[int(key_type)]
    for known in (PRIMARY, SECONDARY):
        if str(key_type).lower() == known.lower():
            return known
    raise InvalidInput(
        f"key_type is Primary or Secondary; got {key_type!r}", field="key_type", expected=[PRIMARY, SECONDARY]
    )


def check_key(value: str, field: str) -> str:
    """A key that a user chose, when it can travel in a header; the value is never repeated in the error.

    Raises:
        InvalidInput: It is too short, too long, or has blanks or letters outside ASCII.
    """
    if not SHORTEST_KEY <= len(value) <= LONGEST_KEY:
        problem = f"has {len(value)} characters; {SHORTEST_KEY} to {LONGEST_KEY} are allowed"
    elif not all("!" <= letter <= "~" for letter in value):
        problem = "may have visible ASCII characters only, and no blanks"
    else:
        return value
    raise InvalidInput(f"{field} {problem}", hint="Leave it out to get a good one.", field=field)

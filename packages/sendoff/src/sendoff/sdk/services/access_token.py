"""A token as SDK v1 gave it (spec/surface.md sec. 2.11.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


class AksServiceAccessToken:
    """A token for one service.

    Args:
        access_token: Goes into the header ``Authorization: Bearer …``.
        token_type: ``Bearer``.
        refresh_after: Unix seconds; the attribute is a datetime (UTC). Ask for a new token once it has passed.
        expiry_on: As ``refresh_after``; no use afterwards.
    """

    def __init__(self, access_token: str, token_type: str, refresh_after: float, expiry_on: float) -> None:
        self.access_token = access_token
        self.token_type = token_type
        self.refresh_after = datetime.fromtimestamp(refresh_after, UTC)
        self.expiry_on = datetime.fromtimestamp(expiry_on, UTC)

    def serialize(self) -> dict[str, Any]:
        """As JSON, with SDK v1's keys and Unix seconds."""
        return {
            "accessToken": self.access_token,
            "tokenType": self.token_type,
            "refreshAfter": int(self.refresh_after.timestamp()),
            "expiryOn": int(self.expiry_on.timestamp()),
        }

    @classmethod
    def deserialize(cls, payload_obj: dict[str, Any]) -> AksServiceAccessToken:
        """The token that `serialize` gave."""
        return cls(*(payload_obj[key] for key in ("accessToken", "tokenType", "refreshAfter", "expiryOn")))

    def __repr__(self) -> str:
        return f"AksServiceAccessToken(expiry_on={self.expiry_on:%Y-%m-%d %H:%M:%S} UTC)"

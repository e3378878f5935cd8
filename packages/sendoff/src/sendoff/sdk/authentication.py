"""SDK v1's authentication classes (spec/surface.md sec. 2.2): taken everywhere, needed nowhere on one's own machine.

Against a server (``SENDOFF_SERVER``) the token is that of ``SENDOFF_TOKEN``; `TokenAuthentication` brings its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .exceptions import AuthenticationException
from .unsupported import refuse

_HOUR = 3600


class AccessToken(NamedTuple):
    """A token and the unix second it ends at."""

    token: str
    expires_on: int


class AbstractAuthentication:
    """Base of all of them."""

    def __init__(self, cloud: str | None = None, **kwargs: Any) -> None:
        self._cloud = cloud

    def get_token(self, *scopes: Any, **_: Any) -> AccessToken:
        """The token that a server would be sent; empty when none is needed."""
        return AccessToken(os.environ.get("SENDOFF_TOKEN", ""), int(time.time()) + _HOUR)

    def get_authentication_header(self) -> dict[str, str]:
        """``Authorization`` for requests that a script makes itself."""
        return {"Authorization": f"Bearer {self.get_token().token}"}

    def signed_session(self, session: Any = None) -> Any:
        """A `requests` session with that header."""
        if session is None:
            try:
                import requests
            except ImportError:
                refuse("signed_session() without requests", "pip install requests")
            session = requests.Session()
        session.headers.update(self.get_authentication_header())
        return session


class InteractiveLoginAuthentication(AbstractAuthentication):
    """Nobody is asked anything."""

    def __init__(self, force: bool = False, tenant_id: str | None = None, cloud: str | None = None) -> None:
        super().__init__(cloud)
        self.tenant_id = tenant_id


class ServicePrincipalAuthentication(AbstractAuthentication):
    """Kept as given and not sent anywhere."""

    def __init__(
        self,
        tenant_id: str,
        service_principal_id: str,
        service_principal_password: str,
        cloud: str = "AzureCloud",
        _enable_caching: bool = True,
    ) -> None:
        super().__init__(cloud)
        self.tenant_id = tenant_id
        self.service_principal_id = service_principal_id
        self._password = service_principal_password


class MsiAuthentication(AbstractAuthentication):
    """A managed identity: there is none to ask here."""

    def __init__(self, cloud: str | None = None, **kwargs: Any) -> None:
        super().__init__(cloud)
        self.identity_config = kwargs.get("identity_config")


class AzureCliAuthentication(AbstractAuthentication):
    """The login of ``az``: not looked at."""

    def __init__(self, cloud: str | None = None) -> None:
        super().__init__(cloud)


class ArmTokenAuthentication(AbstractAuthentication):
    """A token that is given.

    Args:
        arm_access_token: The token.
        cloud: Not used.
    """

    def __init__(self, arm_access_token: str, cloud: str | None = None) -> None:
        super().__init__(cloud)
        self._token = arm_access_token

    def get_token(self, *scopes: Any, **_: Any) -> AccessToken:
        """The token as given."""
        return AccessToken(self._token, int(time.time()) + _HOUR)

    def update_auth(self, arm_access_token: str) -> None:
        """Another token from now on."""
        self._token = arm_access_token


class TokenAuthentication(AbstractAuthentication):
    """A token from a function of the caller's.

    Args:
        get_token_for_audience: Given an audience's address, it returns a token.
        cloud: Not used.

    Raises:
        AuthenticationException: It is no function.
    """

    def __init__(self, get_token_for_audience: Callable[[str], str], cloud: str | None = None) -> None:
        super().__init__(cloud)
        if not callable(get_token_for_audience):
            raise AuthenticationException(
                "get_token_for_audience has to be a function", hint="It takes an audience and returns a token."
            )
        self._get = get_token_for_audience

    def get_token(self, *scopes: Any, **_: Any) -> AccessToken:
        """What the function returns."""
        return AccessToken(self._get(str(scopes[0]) if scopes else ""), int(time.time()) + _HOUR)

"""Keys and tokens of services (docs/authentication.md)."""

from __future__ import annotations

from ...core import Core
from ...spec.identity import SERVER_TOKEN, AccessToken, IssueToken, RegenerateKey, ServiceKeys
from ..route import Call, Route


def list_keys(core: Core, call: Call) -> ServiceKeys:
    """Both keys."""
    return core.deployments.access.keys(call.path["ws"], call.path["name"])


def regenerate_keys(core: Core, call: Call) -> ServiceKeys:
    """Replace one of them."""
    return core.deployments.access.regenerate(call.path["ws"], call.path["name"], call.body)


def token(core: Core, call: Call) -> AccessToken:
    """A token for one service."""
    # Clients of a server show one token that is the same for all: who they say they are is not known to be true.
    # Embedded, the caller is this process.
    body = IssueToken(user=SERVER_TOKEN) if core.mode == "server" else call.body
    return core.deployments.access.token(call.path["ws"], call.path["name"], body)


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/services/{name}/listkeys",
        handler=list_keys,
        summary="Both keys of a service that asks for keys",
        answers={200: ServiceKeys},
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/services/{name}/regenerateKeys",
        handler=regenerate_keys,
        summary="Replace one key of a service while the other stays good; both are answered",
        body=RegenerateKey,
        answers={200: ServiceKeys},
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/services/{name}/token",
        handler=token,
        summary="Issue a token for a service that asks for tokens",
        body=IssueToken,
        body_required=False,
        answers={201: AccessToken},
    ),
)

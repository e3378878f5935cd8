"""Which HTTP status an error's code has."""

from __future__ import annotations

from .. import errors
from ..errors import SendoffError
from ..spec.messages import JSON, Response
from ..spec.parse import encode

STATUS = {
    "internal_error": 500,
    **errors.by_code(
        {
            errors.InvalidInput: 400,
            errors.NotFound: 404,
            errors.AlreadyExists: 409,
            errors.Conflict: 409,
            errors.Cancelled: 409,
            errors.Unauthorized: 401,
            errors.NotSupported: 422,
            errors.EnvironmentFailed: 422,
            errors.DeploymentFailed: 422,
            errors.MissingExtra: 501,
            errors.CorruptBlob: 500,
            errors.StoreError: 500,
            errors.ScoringFailed: 502,
            errors.Unreachable: 502,
            errors.TargetUnavailable: 503,
            errors.Timeout: 504,
        }
    ),
}


def answer(error: SendoffError, *, status: int | None = None) -> Response:
    """The error as a response; ``status`` replaces the table's (405 and 413 have no code of their own)."""
    return Response(
        status=status or STATUS.get(error.code, 500),
        headers={"content-type": JSON},
        body=encode({"error": _plain(error)}),
    )


def _plain(error: SendoffError) -> dict[str, object]:
    payload = error.payload()
    try:
        encode(payload)
    except TypeError:  # context is free-form; an answer must never fail because of it
        payload["context"] = {key: repr(value) for key, value in error.context.items()}
    return payload

"""Which HTTP status an error's code has."""

from __future__ import annotations

from ..errors import SendoffError
from ..spec.messages import JSON, Response
from ..spec.parse import encode

STATUS = {
    "internal_error": 500,
    "invalid_input": 400,
    "not_found": 404,
    "model_not_found": 404,
    "environment_not_found": 404,
    "service_not_found": 404,
    "workspace_not_found": 404,
    "compute_not_found": 404,
    "experiment_not_found": 404,
    "run_not_found": 404,
    "operation_not_found": 404,
    "already_exists": 409,
    "conflict": 409,
    "operation_in_progress": 409,
    "in_use": 409,
    "port_in_use": 409,
    "cancelled": 409,
    "unauthorized": 401,
    "not_supported": 422,
    "environment_failed": 422,
    "interpreter_not_found": 422,
    "deployment_failed": 422,
    "script_failed": 422,
    "missing_extra": 501,
    "corrupt_blob": 500,
    "store_error": 500,
    "store_too_new": 500,
    "scoring_failed": 502,
    "unreachable": 502,
    "target_unavailable": 503,
    "timeout": 504,
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

"""Errors that the scoring server answers with or ends with: code, status, sentence, hint.

Codes are stable and documented in docs/scoring-server.md; statuses follow settled.md ("Scoring server").
"""

from __future__ import annotations

from dataclasses import dataclass

# HTTP status of each code at a service's own address.
STATUS: dict[str, int] = {
    "bad_request": 400,
    "body_empty": 400,
    "body_not_json": 400,
    "body_not_object": 400,
    "body_not_unpacked": 400,
    "body_not_utf8": 400,
    "parameter_missing": 400,
    "protocol_unsupported": 400,
    "tensor_invalid": 400,
    "value_not_convertible": 400,
    "unauthorized": 401,
    "not_found": 404,
    "model_not_found": 404,
    "model_missing": 400,
    "model_too_large": 503,
    "swagger_version_unknown": 404,
    "swagger_version_unsupported": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "body_too_large": 413,
    "target_too_long": 414,
    "content_encoding_unsupported": 415,
    "content_type_not_json": 415,
    "charset_unknown": 415,
    "expectation_failed": 417,
    "headers_too_large": 431,
    "request_id_too_long": 431,
    "rate_limited": 429,
    "run_failed": 500,
    "result_not_encodable": 500,
    "result_not_finite": 500,
    "internal_error": 500,
    "transfer_coding_unsupported": 501,
    "draining": 503,
    "not_ready": 503,
    "queue_full": 503,
    "queue_timeout": 503,
    "worker_died": 503,
    "worker_over_memory": 503,
    "scoring_timeout": 504,
}

# Codes for which asking again later makes sense; answered with Retry-After, in seconds.
_LATER = ("draining", "not_ready", "queue_full", "queue_timeout", "worker_died", "worker_over_memory")
RETRY_AFTER = dict.fromkeys(_LATER, 1)


class ServingError(Exception):
    """What keeps the server from starting, for the person who started it.

    Args:
        code: stable code.
        message: what happened and why.
        hint: what to do next.
        exit_code: exit status of the command.
    """

    def __init__(self, code: str, message: str, *, hint: str | None = None, exit_code: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer to one request.

    Attributes:
        code: key of ``STATUS``, or a code of the worker's with its own status.
        message: sentence for the caller.
        hint: what the caller or the owner of the service can do.
        status: HTTP status; by default that of the code.
        details: further JSON members for people and programs ("path", "expected", "got").
        retry_after: seconds after which the caller may ask again, where that is known; else by the code.
    """

    code: str
    message: str
    hint: str | None = None
    status: int = 0
    details: dict[str, object] | None = None
    retry_after: int | None = None

    @property
    def http_status(self) -> int:
        """The status to answer with."""
        return self.status or STATUS[self.code]

    def body(self, compatible: bool) -> dict[str, object]:
        """Return the JSON body.

        Args:
            compatible: give ``message`` alone, as the existing server does.
        """
        if compatible:
            return {"message": self.message}
        body: dict[str, object] = {"status_code": self.http_status, "message": self.message, "code": self.code}
        if self.hint:
            body["hint"] = self.hint
        if self.details:
            body["details"] = self.details
        return body

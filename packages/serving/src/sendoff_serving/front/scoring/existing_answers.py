"""What the existing server answers where ours says more: statuses, codes and sentences of compatibility mode.

Source: spec/scoring-server.md sec. 9.
"""

from __future__ import annotations

from ...errors import Refusal

LEGACY_ID = (
    "x-ms-request-id header has been deprecated and will be removed from future versions of the server. "
    "Please use x-ms-client-request-id."
)


def as_existing_server(refusal: Refusal) -> Refusal:
    """Return a refusal with the status and the sentence that the existing server gives (compatibility mode).

    Source: spec/scoring-server.md sec. 9. What that server never says (413, 503, ...) stays as it is.
    """
    if refusal.code == "scoring_timeout":
        return Refusal(refusal.code, refusal.message, status=500)
    if refusal.code in ("result_not_encodable", "result_not_finite", "internal_error"):
        return Refusal("internal_error", "An unexpected internal error occurred. Check the logs for more info.")
    return refusal


def existing_code(code: str, shape: str | None) -> str:
    """Return what the existing server makes of a caller's mistake that it meets only inside run() or Flask."""
    if code in ("value_not_convertible", "bad_request"):
        return "run_failed"
    if code == "body_not_utf8" and shape == "schema":
        return "internal_error"
    return code

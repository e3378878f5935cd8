"""What a request's body holds: text, or a JSON object."""

import json
from typing import Any, Dict

from .answer import Refusal


def text_of(body: bytes) -> str:
    """Return a body as text.

    Raises:
        Refusal: it is not UTF-8.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from error


def _not_utf8(error: UnicodeDecodeError) -> Refusal:
    return Refusal(400, "body_not_utf8", "Input cannot be decoded as UTF-8: %s" % error)


def object_of(body: bytes) -> Dict[str, Any]:
    """Return the JSON object that a body holds.

    Raises:
        Refusal: it is empty, or holds anything else.
    """
    if not body:
        raise Refusal(400, "body_empty", "POST body is empty. Expecting a JSON dictionary.")
    try:
        given = json.loads(body)  # bytes: UTF-8 with or without the mark that .NET writes first, UTF-16, UTF-32
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from error
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "body_not_json", "POST body could not be decoded as JSON: %s" % error) from error
    if not isinstance(given, dict):
        raise Refusal(400, "body_not_object", "POST body should be a JSON dictionary.")
    return given

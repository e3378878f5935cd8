import pytest

from sendoff import errors
from sendoff.sdk import exceptions


def test_an_error_is_caught_by_either_name_and_keeps_its_facts():
    original = errors.AlreadyExists("taken", hint="overwrite", name="x")
    made = exceptions.raised_as(exceptions.WebserviceException, original)
    assert isinstance(made, exceptions.WebserviceException)
    assert isinstance(made, errors.AlreadyExists)
    assert (made.code, made.message, made.hint, made.context) == ("already_exists", "taken", "overwrite", {"name": "x"})


def test_text_has_sdk_v1s_parts():
    text = str(exceptions.WebserviceException("sentence", hint="do this"))
    assert text.startswith("WebserviceException:\n\tMessage: sentence\ndo this\n")
    assert '"message": "sentence"' in text


def test_within_it_errors_come_out_as_sdk_v1s():
    with pytest.raises(exceptions.UserErrorException) as caught:
        with exceptions.as_sdk_errors(exceptions.UserErrorException):
            raise errors.InvalidInput("wrong")
    assert isinstance(caught.value, errors.InvalidInput)
    with pytest.raises(ZeroDivisionError), exceptions.as_sdk_errors(exceptions.UserErrorException):
        1 / 0  # noqa: B018


def test_sdk_v1s_constructor_is_kept():
    made = exceptions.WebserviceException("sentence", status_code=404, logger=None)
    assert (made.message, made.status_code) == ("sentence", 404)
    assert exceptions.AzureMLException(message_format="{a} b", message_parameters={"a": 1}).message == "1 b"

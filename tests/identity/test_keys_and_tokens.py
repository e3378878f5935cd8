"""The identity room itself: keys, signing keys, certificates and the folder that servers read."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sendoff.errors import InvalidInput
from sendoff.identity import Identity, Rule, tokens
from sendoff.identity.certificates import check_pair
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.identity import RegenerateKey, ServiceKeys, which_key
from sendoff.store import open_store

from .pem import write_pair


@pytest.fixture
def store(home):
    with open_store(home) as opened:
        yield opened


@pytest.fixture
def identity(store):
    return Identity(store)


def test_keys_are_made_once_and_replaced_one_at_a_time(identity):
    first = identity.keys("a")
    assert identity.keys("a") == first != identity.keys("b")
    second = identity.regenerate("a", "Primary", None)
    assert second.secondary_key == first.secondary_key and second.primary_key != first.primary_key
    assert identity.regenerate("a", "Secondary", "chosen-by-me").secondary_key == "chosen-by-me"
    with pytest.raises(InvalidInput, match="the same"):
        identity.regenerate("a", "Primary", "chosen-by-me")
    assert identity.keys("a").secondary_key == "chosen-by-me"
    identity.forget("a")
    assert identity.keys("a").primary_key not in (first.primary_key, second.primary_key)


def test_many_at_once_agree_on_one_pair(identity):
    with ThreadPoolExecutor(8) as pool:
        assert len({pair.primary_key for pair in pool.map(lambda _: identity.keys("a"), range(16))}) == 1


@pytest.mark.parametrize(
    "value", ["", "short", "x" * 513, "with blank", "tab\tinside", "umlaut-ä-umlaut", "new\nline-x"]
)
def test_a_key_that_cannot_be_one_is_not_repeated_in_the_error(identity, value):
    with pytest.raises(InvalidInput) as caught:
        identity.regenerate("a", "Primary", value)
    assert not value or value not in str(caught.value)


def test_names_of_keys_are_taken_in_any_case_and_as_numbers():
    assert [which_key(name) for name in ("primary", "SECONDARY", 0, 1)] == ["Primary", "Secondary"] * 2
    for wrong in ("third", 2, True, ""):
        with pytest.raises(InvalidInput):
            which_key(wrong)


def test_nothing_that_holds_a_secret_shows_it():
    shown = [
        ServiceKeys(primary_key="planted", secondary_key="planted"),
        RegenerateKey(key_type="Primary", key_value="planted"),
        DeploymentSpec(primary_key="planted", ssl_key_pem="planted", auth_enabled=True),
    ]
    assert "planted" not in repr(shown) and "auth_enabled=True" in repr(shown)


def test_a_signing_key_that_was_replaced_stays_for_as_long_as_its_tokens(identity, store, monkeypatch):
    signer = tokens.Signer(store.secrets)
    old = signer.jwks()["keys"][0]["kid"]
    new = identity.rotate_signing_key()
    assert [key["kid"] for key in signer.jwks()["keys"]] == [new, old]
    assert all(set(key) == {"kty", "crv", "alg", "use", "kid", "x"} for key in signer.jwks()["keys"])
    late = time.time() + tokens.LIFETIME + tokens.SKEW + 1
    monkeypatch.setattr(tokens.time, "time", lambda: late)
    newest = identity.rotate_signing_key()
    assert [key["kid"] for key in signer.jwks()["keys"]] == [newest, new]


def test_what_is_handed_over_opens_nothing(identity, home, tmp_path):
    crt, key = (file.read_text() for file in write_pair(tmp_path, "one"))
    identity.keep_certificate_key("u", crt, key)
    keys = identity.keys("u")
    rules = {1: Rule(auth="key"), 2: Rule(auth="token", certificate=crt)}
    made = identity.access("u", rules, 2)
    content, text = made.document, json.dumps(made.document)
    assert content["revisions"]["1"] == {"auth": "key", "tls": None}
    assert content["auth"] == "token" and content["tls"] == content["revisions"]["2"]["tls"] == made.certificate
    assert content["audience"] == "u" and len(content["jwks"]["keys"]) == 1 and '"d"' not in text
    assert keys.primary_key not in text and keys.secondary_key not in text and key not in text
    assert [(pair.certificate, pair.key) for pair in made.certificates.values()] == [(crt, key)]
    before_a_gateway = identity.access("u", rules, 2, gateway=True)
    assert before_a_gateway.document["tls"] is None and before_a_gateway.certificate == made.certificate
    assert before_a_gateway.made > made.made
    plain = identity.access("u", {3: Rule()}, 3, protected=["health"])
    assert plain.document["open"] == ["metrics", "docs"] and (plain.certificates, plain.certificate) == ({}, None)
    identity.forget("u")
    assert not [name for name in identity._secrets.list() if name.startswith("service/u/")]


def test_a_certificate_and_its_key(tmp_path):
    crt, key = (file.read_text() for file in write_pair(tmp_path, "one", host="*.example.test"))
    names = {"cert_file": "c.pem", "key_file": "k.pem"}
    assert check_pair(crt, key, cname="svc.example.test", **names) == check_pair(crt, key, cname=None, **names) == []
    for wrong in ("example.test", "a.b.example.test", "127.0.0.1"):
        with pytest.raises(InvalidInput, match=r"c\.pem is for \*\.example\.test"):
            check_pair(crt, key, cname=wrong, **names)
    with pytest.raises(InvalidInput, match=r"k\.pem has no private key"):
        check_pair(crt, crt, cname=None, **names)
    with pytest.raises(InvalidInput, match=r"c\.pem has no certificate"):
        check_pair(key, key, cname=None, **names)
    with pytest.raises(InvalidInput, match=r"c\.pem: the certificate expired on"):
        check_pair(crt, key, cname=None, now=time.time() + 10 * 86400, **names)

"""Keys and tokens, checked offline; rotation without restart; callers that ask too often (pains 38, 46)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from .running import eventually, read_all

SCRIPT = "def init(): pass\ndef run(data): return 'scored'\n"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def write(path: Path, **content: object) -> Path:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({"schema_version": 1, **content}))
    os.replace(beside, path)
    return path


def keys(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "sha256": digest(name)} for name in names]


def ask(server, credential: str | None = None, path: str = "/score", method: str = "POST", scheme: str = "Bearer"):
    headers = {} if credential is None else {"Authorization": f"{scheme} {credential}"}
    return server.request(method, path, b"" if method == "POST" else None, headers)


def test_both_keys_score_and_nothing_else_does(serve, tmp_path) -> None:
    server = serve(SCRIPT, "--auth-file", write(tmp_path / "auth.json", keys=keys("first-key", "second-key")))
    assert ask(server, "first-key").json == ask(server, "second-key").json == "scored"
    assert ask(server, "first-key", scheme="bearer").status == 200
    for credential in (None, "", "wrong", "first-ke", "first-key2", "x" * 20_000, "a.b.c", digest("first-key")):
        answer = ask(server, credential)
        assert answer.status == 401, credential
        assert answer.headers["WWW-Authenticate"].startswith("Bearer") and answer.json["code"] == "unauthorized"
        assert answer.headers["x-request-id"]
    assert ask(server, "first-key", scheme="Basic").status == 401


def test_what_is_open_is_a_setting(serve, tmp_path) -> None:
    server = serve(SCRIPT, "--auth-file", write(tmp_path / "a.json", keys=keys("k")))
    assert [ask(server, None, path, "GET").status for path in ("/", "/health/ready", "/docs", "/metrics")] == [200] * 4
    assert [ask(server, None, path, "GET").status for path in ("/swagger.json", "/score")] == [401] * 2
    assert [ask(server, "k", path, "GET").status for path in ("/metrics", "/swagger.json", "/score")] == [200] * 3
    closed = serve(SCRIPT, "--auth-file", write(tmp_path / "b.json", keys=keys("k"), open=["swagger"]))
    assert [ask(closed, None, path, "GET").status for path in ("/", "/docs", "/swagger.json")] == [401, 401, 200]


def test_a_key_is_rotated_without_a_restart(serve, tmp_path) -> None:
    path = write(tmp_path / "auth.json", keys=keys("old", "other"))
    server = serve(SCRIPT, "--auth-file", path)
    assert ask(server, "old").status == 200
    write(path, keys=keys("new", "other"))
    time.sleep(0.15)
    assert ask(server, "new").status == 200
    eventually(lambda: ask(server, "old").status == 401)
    assert ask(server, "other").status == 200
    path.write_text("{ half a file")
    eventually(lambda: "The new keys are not used" in server.log)
    assert ask(server, "new").status == 200


def test_a_request_without_a_key_is_refused_before_its_body_is_read(serve, tmp_path) -> None:
    server = serve(SCRIPT, "--auth-file", write(tmp_path / "auth.json", keys=keys("k")))
    with server.connect() as link:
        link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 90000000\r\n\r\n")
        assert read_all(link).startswith(b"HTTP/1.1 401 ")


def test_a_browsers_preflight_comes_before_the_key(serve, tmp_path) -> None:
    auth = write(tmp_path / "auth.json", keys=keys("k"))
    server = serve(SCRIPT, "--auth-file", auth, "--cors-origins", "https://a.example")
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    answer = server.request("OPTIONS", "/score", headers=headers)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "https://a.example")
    refused = server.request("POST", "/score", b"", {"Origin": "https://a.example"})
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, "https://a.example")


HEADER = '{"alg":"EdDSA","kid":"ed"}'


class Issuer:
    """Signs tokens with one key of each kind."""

    def __init__(self) -> None:
        self.edwards = ed25519.Ed25519PrivateKey.generate()
        self.curve = ec.generate_private_key(ec.SECP256R1())

    def jwks(self) -> dict[str, Any]:
        numbers = self.curve.public_key().public_numbers()
        x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        raw = self.edwards.public_key().public_bytes_raw()
        return {
            "keys": [
                {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": b64(raw)},
                {"kty": "EC", "crv": "P-256", "kid": "ec", "x": x, "y": y},
            ]
        }

    def claims(self, **changes: object) -> str:
        claims = {"sub": "me", "aud": "svc", "iss": "us", "exp": time.time() + 600, **changes}
        return json.dumps({name: value for name, value in claims.items() if value is not None})

    def token(self, algorithm: str = "EdDSA", kid: str = "ed", signer: str = "ed", **changes: object) -> str:
        header = {"alg": algorithm, "kid": kid, "typ": "JWT"}
        return self.signed(json.dumps(header), self.claims(**changes), signer)

    def signed(self, header: str, claims: str, signer: str = "ed") -> str:
        signed = f"{b64(header.encode())}.{b64(claims.encode())}".encode()
        if signer == "ed":
            signature = self.edwards.sign(signed)
        elif signer == "ec":
            r, s = utils.decode_dss_signature(self.curve.sign(signed, ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        else:
            signature = b""
        return f"{signed.decode()}.{b64(signature)}"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def test_tokens_are_verified_offline(serve, tmp_path, issuer) -> None:
    auth = write(tmp_path / "auth.json", keys=keys("k"), jwks=issuer.jwks(), audience="svc", issuer="us")
    server = serve(SCRIPT, "--auth-file", auth)
    for good in (
        issuer.token(),
        issuer.token("ES256", "ec", "ec"),
        issuer.token(aud=["other", "svc"]),
        issuer.token(exp=time.time() - 5),  # clocks differ a little
    ):
        assert ask(server, good).status == ask(server, good).status == 200
    for bad, reason in (
        (issuer.token(exp=time.time() - 120), "token_expired"),
        (issuer.token(exp=None), "token_malformed"),
        (issuer.token(exp="soon"), "token_malformed"),
        (issuer.token(exp=float("nan")), "token_malformed"),
        (issuer.token(aud="other"), "token_audience"),
        (issuer.token(aud=None), "token_audience"),
        (issuer.token(iss="them"), "token_issuer"),
        (issuer.token(iss=None), "token_issuer"),
        (issuer.token(nbf=time.time() + 600), "token_not_yet_valid"),
        (issuer.token(iat=time.time() + 600), "token_not_yet_valid"),
        (issuer.token("none", "ed", ""), "token_algorithm"),
        (issuer.token("HS256"), "token_algorithm"),
        (issuer.token("ES256", "ed", "ed"), "token_algorithm"),
        (issuer.token("EdDSA", "ec", "ed"), "token_algorithm"),
        (issuer.token(kid="unknown"), "token_key_unknown"),
        (Issuer().token(), "token_signature"),
        # What is wrong inside is not told to those who cannot sign.
        (Issuer().token(exp=1, aud="other"), "token_signature"),
        (issuer.token()[:-6], "token_signature"),
        (issuer.token().replace(".", "..", 1), "invalid_token"),
        ("eyJ.eyJ.eyJ", "token_malformed"),
    ):
        answer = ask(server, bad)
        assert (answer.status, answer.json["details"]) == (401, {"error": reason}), bad
        assert bad not in answer.body.decode()
    assert ask(server, "k").status == 200
    eventually(lambda: "requests had no good key or token" in server.log)
    server.stop()
    assert "eyJ" not in server.log and "127.0.0.1" in server.log


def test_a_token_is_read_strictly(serve, tmp_path, issuer) -> None:
    """What readers of tokens differ in: each of these is signed by the issuer, and is no token of RFC 7515 and 7519."""
    server = serve(SCRIPT, "--auth-file", write(tmp_path / "a.json", jwks=issuer.jwks(), audience="svc"))
    good = issuer.token()
    signed, _, signature = good.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    while not set(signature) & set("-_"):
        signed, _, signature = issuer.token(jti=time.time_ns()).rpartition(".")
    standard = signature.replace("-", "+").replace("_", "/")
    same_bytes = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    now = time.time()
    for bad in (
        *(f"{signed}.{other}" for other in (signature + "==", standard, same_bytes, signature[:-1] + "~")),
        issuer.signed('{"alg":"none","alg":"EdDSA","kid":"ed"}', issuer.claims()),
        issuer.signed(HEADER, '{"exp":1,' + issuer.claims()[1:]),
        issuer.signed(HEADER, "\ufeff" + issuer.claims()),
        issuer.token(exp=str(now + 600)),
        issuer.token(exp=True),
        issuer.token(exp=float("inf")),
        issuer.signed(HEADER, '{"aud":"svc","exp":1e999}'),
        issuer.signed(HEADER, '{"aud":"svc","exp":1' + "0" * 400 + "}"),
        issuer.token(nbf="0"),
    ):
        answer = ask(server, bad)
        assert (answer.status, answer.json["details"]) == (401, {"error": "token_malformed"}), bad
    for header, reason in (
        ('{"alg":"EdDSA","kid":"ed","crit":["exp"]}', "token_algorithm"),
        ('{"alg":"EdDSA","kid":"ed","crit":["b64"],"b64":true}', "token_algorithm"),
        ('{"alg":"EdDSA","kid":["ed"]}', "token_key_unknown"),
        ('{"alg":"EdDSA","kid":null}', "token_key_unknown"),
        ('{"alg":"none"}', "token_algorithm"),
    ):
        answer = ask(server, issuer.signed(header, issuer.claims()))
        assert (answer.status, answer.json["details"]) == (401, {"error": reason}), header
    assert ask(server, issuer.token(aud=[1, "svc"])).json["details"] == {"error": "token_audience"}
    assert ask(server, good).status == ask(server, issuer.signed(HEADER, issuer.claims())).status == 200


def test_a_token_without_a_kid_is_tried_with_the_keys_of_its_algorithm(serve, tmp_path, issuer) -> None:
    """As makers of tokens with one key leave it out; and Ed25519 is the name of EdDSA with that curve (RFC 9864)."""
    others, nameless = Issuer().jwks()["keys"], issuer.jwks()["keys"]
    for key in nameless:
        del key["kid"]
    path = tmp_path / "a.json"
    server = serve(SCRIPT, "--auth-file", write(path, jwks={"keys": others + nameless}, audience="svc"))
    assert ask(server, issuer.signed('{"alg":"EdDSA"}', issuer.claims())).status == 200
    assert ask(server, issuer.signed('{"alg":"Ed25519"}', issuer.claims())).status == 200
    assert ask(server, issuer.signed('{"alg":"ES256"}', issuer.claims(), "ec")).status == 200
    stranger = ask(server, Issuer().signed('{"alg":"EdDSA"}', issuer.claims()))
    assert stranger.json["details"] == {"error": "token_signature"}
    assert ask(server, issuer.token()).json["details"] == {"error": "token_signature"}  # "ed" is another's key here


def test_keys_of_other_types_and_uses_may_lie_beside_ours(serve, tmp_path, issuer) -> None:
    edwards, curve = issuer.jwks()["keys"]
    others = [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rsa"},
        {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "large"},
        {**curve, "use": "enc"},
    ]
    server = serve(SCRIPT, "--auth-file", write(tmp_path / "a.json", jwks={"keys": [*others, edwards]}, audience="svc"))
    assert ask(server, issuer.token()).status == 200
    assert ask(server, issuer.token("ES256", "ec", "ec")).json["details"] == {"error": "token_key_unknown"}


def test_a_refusal_names_its_scheme_and_whether_credentials_were_sent(serve, tmp_path, issuer) -> None:
    server = serve(
        SCRIPT, "--auth-file", write(tmp_path / "a.json", keys=keys("k"), jwks=issuer.jwks(), audience="svc")
    )
    assert ask(server).headers["WWW-Authenticate"] == "Bearer"
    for wrong in ("nonsense", issuer.token(exp=1), issuer.token()[:-4]):
        answer = ask(server, wrong)
        said = f'Bearer error="invalid_token", error_description="{answer.json["message"]}"'
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, said)


def test_a_token_is_refused_once_it_has_expired_also_when_it_is_known(serve, tmp_path, issuer) -> None:
    server = serve(SCRIPT, "--auth-file", write(tmp_path / "a.json", jwks=issuer.jwks(), audience="svc"))
    token = issuer.token(exp=time.time() - 28)
    assert ask(server, token).status == 200
    eventually(lambda: ask(server, token).status == 401)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"keys": [{"name": "a", "sha256": "12"}]}, "sha256 should be 64"),
        ({"keys": [{"name": "a"}]}, "a key cannot be read"),
        ({"jwks": {"keys": [{"kty": "RSA", "crv": "x", "x": "AA"}]}, "audience": "a"}, "a key cannot be read"),
        ({"open": ["score"]}, "open names 'score'"),
        ({"kyes": []}, "kyes is not known"),
    ],
)
def test_material_that_cannot_be_used_is_told_at_the_start(start, tmp_path, content, message) -> None:
    from .running import write_script

    auth = write(tmp_path / "auth.json", **content)
    server = start("--entry-script", write_script(tmp_path, SCRIPT), "--auth-file", auth, wait=False)
    assert server.wait_end() == 1
    assert message in server.log and "Traceback" not in server.log


def test_a_caller_over_its_rate_is_told_when_to_come_back_and_others_are_not(serve, tmp_path) -> None:
    auth = write(tmp_path / "auth.json", keys=keys("a", "b"))
    server = serve(SCRIPT, "--auth-file", auth, "--rate-limit-per-second", 1, "--rate-limit-burst", 3)
    answers = [ask(server, "a") for _ in range(6)]
    assert [answer.status for answer in answers[:3]] == [200] * 3
    assert answers[-1].status == 429 and answers[-1].json["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 2
    assert ask(server, "b").status == 200
    assert server.get("/").status == 200
    eventually(lambda: ask(server, "a").status == 200)
    metrics = ask(server, "b", "/metrics", "GET").body.decode()
    assert 'sendoff_requests_total{code="429",reason="rate_limited"}' in metrics


def hashed(key: str, salt: bytes) -> dict[str, str]:
    return {"name": key, "salt": salt.hex(), "sha256": hmac.digest(salt, key.encode(), "sha256").hex()}


SHOWS = (
    "from azureml.contrib.services.aml_request import rawhttp\n"
    "def init(): pass\n@rawhttp\ndef run(request): return [REVISION, 'authorization' in str(request.headers).lower()]\n"
)


def test_each_revision_is_guarded_by_its_own_rule_from_the_moment_it_takes_over(
    start, make_bundle, tmp_path, issuer
) -> None:
    path = tmp_path / "auth.json"
    material = {"keys": [hashed("k", b"salt"), hashed("l", b"pepper")], "jwks": issuer.jwks(), "audience": "svc"}
    rules = {"1": {"auth": "none"}, "2": {"auth": "key"}, "3": {"auth": "token"}}
    write(path, **material, auth="key", revisions=rules)
    one, two, three = (make_bundle(SHOWS.replace("REVISION", str(number))) for number in (1, 2, 3))
    control = tmp_path / "c.sock"
    server = start(
        *("--bundle", one, "--revision", "1", "--auth-file", path), control=control, wait=False
    ).wait_listening()
    server.wait_state("ready")
    assert ask(server).json == [1, False] and ask(server, "k").json == [1, True]

    def swap(bundle: Path, revision: str) -> None:
        server.ask("POST", "/swap", {"bundle": str(bundle), "revision": revision})
        eventually(lambda: server.status()["revision"] == revision, 30)

    swap(two, "2")
    assert ask(server).status == ask(server, issuer.token()).status == 401
    assert ask(server, "k").json == ask(server, "l").json == [2, False]  # scripts never see the key
    broken = make_bundle("def init(): raise ValueError\ndef run(d): return 1\n")
    server.ask("POST", "/swap", {"bundle": str(broken), "revision": "1"})
    eventually(lambda: (server.status()["pending"] or {}).get("phase") == "failed", 30)
    assert ask(server).status == 401
    swap(three, "3")
    assert ask(server, "k").status == 401 and ask(server, issuer.token()).json == [3, False]
    swap(one, "4")  # not named: what is at the top
    assert ask(server).status == 401 and ask(server, "k").status == 200
    server.stop()
    assert "Authorization" not in server.log


def test_a_server_does_not_start_without_its_material(start, tmp_path) -> None:
    from .running import write_script

    script = write_script(tmp_path, SCRIPT)
    server = start("--entry-script", script, "--auth-file", tmp_path / "gone.json", wait=False)
    assert server.wait_end() == 1 and "gone.json" in server.log

"""Keys and tokens of real services, called over real HTTP: what users and strangers get (pains 24, 46)."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest
from command_line import sendoff, sendoff_process
from serving.running import eventually
from stored_text import files_with

from sendoff import AciWebservice, AksWebservice, Webservice
from sendoff.api.application import Application
from sendoff.client import connect
from sendoff.core import Core
from sendoff.errors import InvalidInput, NotSupported, ScriptFailed
from sendoff.sdk.exceptions import WebserviceException
from sendoff.sdk.services.values import AksServiceAccessToken
from sendoff.spec.messages import Request

from .conftest import Hammer, call, config

PLANTED = "planted-primary-key-0001", "planted-secondary-key-0002"


def cli(*arguments, run=sendoff):
    done = run(*arguments)
    return done.returncode, done.stdout, done.stderr


def test_a_service_with_keys_answers_those_who_have_one(deploy, home):
    service = deploy(auth_enabled=True)
    assert (service.auth_enabled, service.token_auth_enabled) == (True, False)
    primary, secondary = service.get_keys()
    assert primary != secondary and len(primary) >= 32
    status, body = call(service.scoring_uri)
    assert (status, body["code"], body["details"]) == (401, "unauthorized", {"error": "credentials_missing"})
    assert call(service.scoring_uri, primary) == call(service.scoring_uri, secondary) == (200, 1)
    assert call(service.scoring_uri, primary[:-1])[0] == 401
    assert service.run("{}") == 1
    for path in ("", "metrics", "health/ready", "docs"):
        assert call_get(service.scoring_uri.replace("score", path)) == 200
    assert call_get(service.swagger_uri) == 401

    with Hammer(lambda: call(service.scoring_uri, secondary)) as hammer:
        service.regen_key("primary")
        fresh = service.get_keys()[0]
        assert call(service.scoring_uri, fresh) == (200, 1)
    assert hammer.bad == [] and hammer.good >= 20
    with Hammer(lambda: call(service.scoring_uri, fresh)) as hammer:
        service.regen_key("SECONDARY", set_key="chosen-by-hand")
        assert call(service.scoring_uri, "chosen-by-hand") == (200, 1)
    assert hammer.bad == []
    assert service.get_keys() == (fresh, "chosen-by-hand")
    eventually(lambda: call(service.scoring_uri, primary)[0] == 401)
    eventually(lambda: call(service.scoring_uri, secondary)[0] == 401)
    # A key that was replaced elsewhere: the SDK fetches the new one by itself.
    assert service.run("{}") == 1
    Webservice(service.workspace, "svc").regen_key("Primary")
    eventually(lambda: call(service.scoring_uri, fresh)[0] == 401)
    assert service.run("{}") == 1

    for wrong in (("Third",), ("Primary", "short"), ("Primary", "with a blank in it")):
        with pytest.raises(WebserviceException) as caught:
            service.regen_key(*wrong)
        assert "with a blank" not in str(caught.value)
    eventually(lambda: "requests had no good key or token" in service.get_logs())
    log = service.get_logs()
    assert "credentials_missing" in log and primary not in log and "Authorization" not in log
    service.delete()
    assert not (home / "run").exists() or list((home / "run").glob("svc*")) == []
    assert [name for name in json.loads((home / "secrets.json").read_bytes())["secrets"] if "svc" in name] == []


def call_get(uri):
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(uri, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_given_keys_are_nowhere_in_clear_and_overwrite_keeps_them(deploy, ws, home):
    given = {"primary_key": PLANTED[0], "secondary_key": PLANTED[1]}
    service = deploy(auth_enabled=True, **given)
    assert service.get_keys() == PLANTED
    assert service.run("{}") == 1
    service = deploy(auth_enabled=True, overwrite=True)
    assert service.get_keys() == PLANTED and call(service.scoring_uri, PLANTED[1]) == (200, 1)
    service.update(deployment_config=service.deploy_configuration(auth_enabled=True, workers=2), wait=True)
    assert service.get_keys() == PLANTED
    service.run("{}")
    with connect() as client:
        shown = [client.services("demo"), client.service("demo", "svc"), client.operations("demo")]
        shown.append(client.revisions("demo", "svc"))
    shown += [service.serialize(), service, cli("service", "show", "-n", "svc", "-w", "demo", "-o", "json")]
    for key in PLANTED:
        assert key not in repr(shown)
        assert files_with(home, key) == []
    material = next((home / "run").glob("svc*")) / "access"
    assert material.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in material.iterdir()} == {0o600}


def test_a_server_does_not_believe_who_a_client_says_it_is(deploy, home):
    deploy(token_auth_enabled=True)
    for mode, named in (("server", "server-token"), ("embedded", "somebody-else")):
        core = Core(home, mode=mode)
        path = "/v1/workspaces/demo/services/svc/token"
        answer = Application(core).handle(Request(method="POST", path=path, body=b'{"user": "somebody-else"}'))
        claims = json.loads(answer.body)["access_token"].split(".")[1]
        assert (answer.status, json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]) == (201, named)
        core.close()


def test_tokens_are_for_one_service_and_one_hour(deploy, home):
    service = deploy(token_auth_enabled=True)
    other = deploy(token_auth_enabled=True, name="other")
    assert (service.auth_enabled, service.token_auth_enabled) == (False, True)
    token, refresh_by = service.get_token()
    assert 40 * 60 < refresh_by.timestamp() - time.time() <= 48 * 60
    whole = service.get_access_token()
    assert isinstance(whole, AksServiceAccessToken) and whole.token_type == "Bearer"
    assert 3500 < whole.expiry_on.timestamp() - time.time() <= 3600
    assert AksServiceAccessToken.deserialize(whole.serialize()).expiry_on == whole.expiry_on
    assert call(service.scoring_uri, token) == (200, 1)
    assert call(service.scoring_uri)[0] == 401
    assert call(other.scoring_uri, token)[1]["details"] == {"error": "token_audience"}
    assert call(service.scoring_uri, token[:-6] + "AAAAAA")[1]["details"] == {"error": "token_signature"}
    assert service.run("{}") == other.run("{}") == 1
    with pytest.raises(NotSupported, match="takes tokens, not keys"):
        service.get_keys()
    assert files_with(home, token) == []

    # The signing key is replaced: tokens from before stay good, and so do new ones, at once.
    from sendoff.core import Core
    from sendoff.deployments.access import ServiceAccess

    with closing(Core(home)) as core, Hammer(lambda: call(service.scoring_uri, token)) as hammer:
        ServiceAccess(core.rooms).rotate_signing_key()
        assert call(service.scoring_uri, service.get_token()[0]) == (200, 1)
    assert hammer.bad == []


def test_each_kind_has_its_default_and_an_update_turns_it(deploy, ws):
    aks = deploy(AksWebservice.deploy_configuration(num_replicas=1), name="prod")
    assert aks.auth_enabled and call(aks.scoring_uri)[0] == 401 and aks.run("{}") == 1
    aci = deploy(AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1), name="dev")
    assert not aci.auth_enabled and call(aci.scoring_uri) == (200, 1)
    with pytest.raises(NotImplementedError, match="update"):
        aci.get_keys()

    aci.update(auth_enabled=True)
    aci.wait_for_deployment()
    assert aci.auth_enabled and call(aci.scoring_uri)[0] == 401 and aci.run("{}") == 1
    keys = aci.get_keys()
    aci.update(token_auth_enabled=True)
    aci.wait_for_deployment()
    assert (aci.auth_enabled, aci.token_auth_enabled) == (False, True)
    assert call(aci.scoring_uri, keys[0])[0] == 401 and aci.run("{}") == 1
    with pytest.raises(InvalidInput, match=r"both|together"):
        aci.update(auth_enabled=True, token_auth_enabled=True)
    with pytest.raises(InvalidInput, match=r"both|together"):
        deploy(auth_enabled=True, token_auth_enabled=True, name="neither")
    aci.update(auth_enabled=True)
    aci.wait_for_deployment()
    assert aci.get_keys() == keys


def test_an_update_that_fails_leaves_the_guard_and_a_rollback_keeps_it(deploy, ws):
    service = deploy()
    assert call(service.scoring_uri) == (200, 1)
    broken = config("def init():\n    raise ValueError('no')\n\n\ndef run(data):\n    return 2\n")
    with pytest.raises(ScriptFailed):  # a local service's update is over when it returns
        service.update(deployment_config=service.deploy_configuration(auth_enabled=True), inference_config=broken)
    service.update_deployment_state()
    assert not service.auth_enabled and call(service.scoring_uri) == (200, 1)

    service.update(deployment_config=service.deploy_configuration(auth_enabled=True), wait=True)
    key = service.get_keys()[0]
    with connect() as client:
        operation = client.rollback("demo", "svc", 1)
        while client.operation(operation.id).state not in ("Succeeded", "Failed"):
            time.sleep(0.05)
        assert client.operation(operation.id).state == "Succeeded"
    assert call(service.scoring_uri)[0] == 401 and call(service.scoring_uri, key) == (200, 1)


def test_the_command_line(deploy):
    deploy(auth_enabled=True)
    where = ("-n", "svc", "-w", "demo")
    code, out, _ = cli("service", "get-keys", *where, "-o", "json", run=sendoff_process)
    assert code == 0 and set(json.loads(out)) == {"primaryKey", "secondaryKey"}
    code, out, _ = cli("service", "regen-key", *where, "-k", "primary", "-s", "a-key-of-my-own", "-o", "json")
    assert code == 0 and json.loads(out)["primaryKey"] == "a-key-of-my-own"
    assert cli("service", "run", *where, "-d", "{}")[:2] == (0, "1\n")
    code, _, err = cli("service", "run", *where, "-d", "{}", "--key", "something-else")
    assert code == 11 and "401" in err and "something-else" not in err
    code, _, err = cli("service", "get-access-token", *where)
    assert code == 6 and "--token-auth-enabled true" in err
    assert cli("service", "update", *where, "--token-auth-enabled", "true")[0] == 0
    code, out, _ = cli("service", "get-access-token", *where, "-o", "json")
    assert code == 0 and json.loads(out)["tokenType"] == "Bearer"
    assert cli("service", "run", *where, "-d", "{}")[:2] == (0, "1\n")


def test_health_and_metrics_are_closed_when_asked(deploy):
    service = deploy(auth_enabled=True, protected_paths=["health", "metrics"])
    base = service.scoring_uri.removesuffix("score")
    assert [call_get(base + path) for path in ("", "metrics", "health/live", "docs")] == [401, 401, 401, 200]
    with pytest.raises(InvalidInput, match="protected_paths"):
        service.deploy_configuration(protected_paths=["score"])._spec()


def test_a_front_that_was_killed_comes_back_with_its_guard(deploy, home):
    service = deploy(auth_enabled=True)
    key = service.get_keys()[0]
    record = next((home / "run").glob("svc*/front-*.json"))
    before = json.loads(record.read_bytes())["pid"]
    os.kill(before, signal.SIGKILL)
    seen = set()

    def answers() -> bool:
        try:
            seen.add(call(service.scoring_uri)[0])
            return call(service.scoring_uri, key) == (200, 1)
        except OSError:
            return False

    eventually(lambda: answers() and not Path(f"/proc/{before}").exists(), 30)
    assert seen == {401}


def test_keys_given_to_an_update_are_good_without_a_new_revision(deploy, ws):
    service = deploy(auth_enabled=True)
    revisions = service._view.wanted_revision
    assert cli("service", "update", "-n", "svc", "-w", "demo", "--kp", PLANTED[0], "--ks", PLANTED[1])[0] == 0
    assert service.get_keys() == PLANTED and call(service.scoring_uri, PLANTED[0]) == (200, 1)
    service.update_deployment_state()
    assert service._view.wanted_revision == revisions

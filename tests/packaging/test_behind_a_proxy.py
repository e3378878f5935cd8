"""A company's network: certificates, proxy, index mirror and wheelhouse are given once and reach every build (D 6)."""

import json
import os
import ssl
import uuid
from pathlib import Path

import pytest
from environments.wheels import make_wheel
from image_rig import SCORE, ask, running
from proxy_rig import SECRET as PROXY_SECRET
from proxy_rig import USER as PERSON
from proxy_rig import Proxy, debian_repository, files_over_http, package_index
from registry_rig import SECRET as REGISTRY_SECRET
from registry_rig import USER, certificate, htpasswd
from registry_rig import registry as running_registry
from stored_text import files_with

from sendoff.cli.__main__ import run
from sendoff.containers.engine import connect
from sendoff.containers.registries import Credentials
from sendoff.environments.indexes import Indexes
from sendoff.packaging.base_image import inspect
from sendoff.packaging.image_engine import configuration
from sendoff.packaging.image_pull import ImageSource
from sendoff.packaging.image_push import push
from sendoff.progress import silent

INDEX_SECRET = "planted-1ndex-secret"
INDEX, REGISTRY, DEBIAN = "index.corp.test", "registry.corp.test", "deb.corp.test"
STEPS = f"""\
USER 0
RUN echo 'deb [trusted=yes] http://{DEBIAN}/ ./' > /etc/apt/sources.list
RUN apt-get update -qq && apt-get install -qq acme-deb
RUN python3 -m venv /opt/own && /opt/own/bin/pip install -q --disable-pip-version-check acme-tiny==1.5
RUN test -f "$SSL_CERT_FILE" && test -n "$https_proxy" && test -n "$HTTPS_PROXY" && test "$no_proxy" = nowhere.example
"""
CODE = SCORE.replace("import os, sys, idna", "import os, subprocess, sys, acme_tiny").replace(
    "ADDED = 0",
    'ADDED = [acme_tiny.VERSION, open("/usr/share/acme-deb").read(), '
    "subprocess.getoutput(\"/opt/own/bin/python -c 'import acme_tiny; print(acme_tiny.VERSION)'\")]",
)


@pytest.fixture
def company(tmp_path):
    """The proxy, the file of certificates, and the folder that the index is served from."""
    cert = certificate(tmp_path / "tls", INDEX, REGISTRY)
    bundle = tmp_path / "company.pem"
    system = ssl.get_default_verify_paths()
    bundle.write_text(cert.read_text() + "\n" + (Path(system.cafile).read_text() if system.cafile else ""))
    wheels = tmp_path / "index-wheels"
    wheels.mkdir()
    pages = package_index(tmp_path / "index", [make_wheel(wheels, "acme-tiny", "1.5")])
    debian = debian_repository(tmp_path, "acme-deb")
    folder = tmp_path / "registry"
    folder.mkdir()
    with (
        files_over_http(pages, cert, INDEX_SECRET) as index,
        files_over_http(debian) as packages,
        running_registry(folder, cert, htpasswd(folder)) as registry,
    ):
        proxy = Proxy({f"{INDEX}:443": index, f"{DEBIAN}:80": packages, f"{REGISTRY}:443": registry})
        yield proxy, bundle
        proxy.close()


def put_base(base, way, home, name):
    """The tests' base image into the company's registry, by the same way."""

    class Own:
        def of(self, registry):
            return Credentials(username=USER, password=REGISTRY_SECRET)

    source = ImageSource(connect(), Own(), way, silent)
    known = inspect(source, base, home=home)
    config = configuration(known, [], {**known.config, "Labels": {"mark": name}})
    reference = f"{REGISTRY}/base/{name}:1"
    push(source, known, [], config, reference, home=home)
    return reference


def give_once(company, tmp_path, monkeypatch, wheelhouse):
    """The company's ways into the home's settings, and nothing of this machine's own; gives a base image there."""
    proxy, bundle = company
    home = Path(os.environ["SENDOFF_HOME"])
    (home / "images").unlink()
    way = Indexes(cert=str(bundle), proxy=proxy.url).way({})
    name = f"b{uuid.uuid4().hex[:12]}"
    reference = put_base(os.environ["SENDOFF_BASE_IMAGE"], way, home, name)
    assert proxy.passed.pop(f"{REGISTRY}:443") > 2
    (home / "settings.toml").write_text(
        f'index_url = "https://{PERSON}:{INDEX_SECRET}@{INDEX}/simple"\n'
        f'proxy = "{proxy.url}"\nno_proxy = "nowhere.example"\nca_bundle = "{bundle}"\n'
        f'wheelhouse = "{wheelhouse}"\nimage_registry = "{REGISTRY}/team"\n'
    )
    monkeypatch.delenv("SENDOFF_BASE_IMAGE")
    monkeypatch.setenv("SENDOFF_REGISTRY_USERNAME", USER)
    monkeypatch.setenv("SENDOFF_REGISTRY_PASSWORD", REGISTRY_SECRET)
    for variable in [one for one in os.environ if one.startswith("PIP_") or one.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return home, name, reference


@pytest.mark.slow
def test_everything_goes_by_the_proxy_that_was_given_once_and_nothing_of_it_is_kept(
    work, engine, company, tmp_path, monkeypatch, capsys, server_wheels
):
    proxy, bundle = company
    home, name, reference = give_once(company, tmp_path, monkeypatch, server_wheels)
    Path("src/score.py").write_text(CODE)
    Path("environment.yml").write_text("dependencies:\n  - python=3.11\n  - pip:\n      - acme-tiny==1.5\n")
    Path("steps").write_text(STEPS)
    arguments = ["model", "package", "-m", "m:1", "--es", "score.py", "--sd", "src", "--cf", "environment.yml"]
    arguments += ["--bi", f"base/{name}:1", "--ir", REGISTRY, "--ds", "steps", "--image-name", name]
    assert run([*arguments, "--image-label", "1", "-o", "json"]) == 0, capsys.readouterr().err
    told = capsys.readouterr()
    made = json.loads(told.out)
    tags = [made["location"], reference]
    try:
        assert proxy.refused == []
        # uv's resolution and installation and pip in the Docker step; apt; the pull of the base and the push.
        assert {name: count > 0 for name, count in proxy.passed.items()} == {
            f"{INDEX}:443": True, f"{DEBIAN}:80": True, f"{REGISTRY}:443": True,
        }  # fmt: skip
        with running(engine, made["location"]) as address:
            assert ask(address)["added"] == ["1.5", "from apt\n", "1.5"]
        secrets = (PROXY_SECRET, INDEX_SECRET, REGISTRY_SECRET)
        marks = (*secrets, bundle.read_text().splitlines()[1], "opt/sendoff-build", "corp.test/simple")
        content = b"".join(engine.api.get_image(made["location"]))
        assert [mark for mark in marks if mark.encode() in content] == []
        facts = engine.images.get(made["location"])
        assert not any("proxy" in line.lower() or "SSL_CERT" in line for line in facts.attrs["Config"]["Env"])
        assert "proxy" not in json.dumps(facts.history()).lower()
        holders = {path.relative_to(home) for secret in secrets for path in files_with(home, secret)}
        assert holders <= {Path("settings.toml")}
        assert not any(secret in told.out + told.err for secret in secrets)

        # A proxy that refuses is said, and its password is not.
        monkeypatch.setenv("SENDOFF_PROXY", proxy.url.replace(PROXY_SECRET, f"not-{PROXY_SECRET}"))
        Path("environment.yml").write_text("dependencies:\n  - python=3.11\n  - pip:\n      - acme-tiny==1.5.0\n")
        assert run(["model", "package", "-m", "m:1", "--es", "score.py", "--sd", "src", "--cf", "environment.yml"]) != 0
        said = capsys.readouterr().err
        assert "the package index cannot be reached" in said and "proxy" in said
        assert PROXY_SECRET not in said
    finally:
        for tag in tags:
            engine.images.remove(tag, force=True)


@pytest.mark.slow
def test_a_dockerfile_and_an_interpreter_of_ones_own_are_built_through_it_too(
    work, engine, company, tmp_path, monkeypatch, capsys, server_wheels
):
    proxy, _ = company
    _, name, reference = give_once(company, tmp_path, monkeypatch, server_wheels)
    lines = STEPS.replace("-m venv /opt/own", "-m venv --system-site-packages /opt/own").splitlines()[1:]
    definition = {
        "name": "own",
        "python": {"userManagedDependencies": True, "interpreterPath": "/opt/own/bin/python"},
        "docker": {
            "baseImage": None,
            "baseDockerfile": "\n".join([f"FROM {reference}", "USER 0", *lines, ""]),
            "baseImageRegistry": {"address": REGISTRY},
        },
    }
    code = "import acme_tiny, sys\ndef init(): pass\ndef run(data): return [acme_tiny.VERSION, sys.prefix]\n"
    Path("src/score.py").write_text(code)
    config = {"entryScript": "score.py", "sourceDirectory": "src", "environment": definition}
    Path("ic.json").write_text(json.dumps(config))
    arguments = ["model", "package", "-m", "m:1", "--ic", "ic.json", "--image-name", f"{name}-own"]
    assert run([*arguments, "--image-label", "1", "-o", "json"]) == 0, capsys.readouterr().err
    made = json.loads(capsys.readouterr().out)
    try:
        assert proxy.refused == []
        assert min(proxy.passed[host] for host in (f"{INDEX}:443", f"{DEBIAN}:80", f"{REGISTRY}:443")) > 0
        with running(engine, made["location"]) as address:
            assert ask(address) == ["1.5", "/opt/own"]
        content = b"".join(engine.api.get_image(made["location"]))
        marks = (PROXY_SECRET, INDEX_SECRET, REGISTRY_SECRET, "opt/sendoff-build", "corp.test/simple")
        assert [mark for mark in marks if mark.encode() in content] == []
    finally:
        engine.images.remove(made["location"], force=True)
        engine.images.remove(reference, force=True)


def test_no_proxy_and_this_machine_are_reached_without_it():
    way = Indexes(proxy="proxy.corp.test:3128").way({"NO_PROXY": "inner.test, .deep.test:8443,10.0.0.0/8"})
    direct = ["localhost:5000", "127.0.0.1:5000", "[::1]:5000", "inner.test", "a.inner.test:80", "10.1.2.3:5000"]
    assert [host for host in [*direct, "x.deep.test:8443"] if way.proxy(host) is not None] == []
    for host in ("outer.test", "x.deep.test", "winner.test", "11.0.0.1"):
        assert way.proxy(host) == "http://proxy.corp.test:3128"
    assert Indexes(proxy="p:1", no_proxy="*").way({}).proxy("outer.test") is None
    assert Indexes().way({"https_proxy": "http://q:2"}).proxy("outer.test") == "http://q:2"
    assert Indexes().way({}).proxy("outer.test") is None

"""conda channels are reached as everything else is: by the proxy and with the certificates of the settings (D 6)."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from environments import conda_channels
from proxy_rig import SECRET, Proxy, files_over_http
from registry_rig import certificate
from resolving import resolve
from stored_text import files_with

from sendoff.environments import build, conda
from sendoff.environments.indexes import Supply, effective
from sendoff.errors import EnvironmentFailed
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.settings import Settings

try:
    import rattler
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("py-rattler is not installed", allow_module_level=True)

HOST = "conda.corp.test"
CHANNEL = f"https://{HOST}/acme"
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PIP_", "SSL_")) and not name.lower().endswith("_proxy")
} | {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """The proxy that alone knows the channel's host, and the company's certificate."""
    folder = tmp_path_factory.mktemp("company")
    pages = folder / "pages" / "acme"
    conda_channels.pack_python(pages, str(rattler.Subdir.current()))
    conda_channels.pack(pages, "acme-data", "2.0", {"share/acme/table.csv": b"1,2\n"}, noarch="generic")
    conda_channels.index(pages)
    cert = certificate(folder / "tls", HOST)
    with files_over_http(folder / "pages", cert) as server:
        proxy = Proxy({f"{HOST}:443": server})
        yield proxy, cert
        proxy.close()


@pytest.fixture
def way(company):
    proxy, cert = company
    proxy.passed.clear()
    proxy.refused.clear()
    return Settings(proxy=proxy.url, ca_bundle=str(cert))


def solve(home: Path, settings: Settings, environ: dict[str, str] = ENVIRON) -> list[str]:
    indexes, _ = effective(environ, settings, [])
    records = conda.solve(["acme-data"], [CHANNEL], Supply(indexes, environ), cache=home / "cache")
    return [record["name"] for record in records]


def test_an_environment_is_solved_and_installed_through_the_proxy_of_the_settings(company, way, tmp_path):
    proxy, _ = company
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    python = PythonSpec(channels=[CHANNEL], conda_packages=[f"python={minor}", "acme-data"])
    lock, supply = resolve(EnvironmentSpec(name="e", python=python), home=tmp_path, settings=way, environ=ENVIRON)
    assert lock.method == "conda"
    asked = proxy.passed[f"{HOST}:443"]
    assert asked > 0
    built = build.ensure(lock, supply, home=tmp_path)
    assert (tmp_path / "environments" / built.key / "share/acme/table.csv").read_text() == "1,2\n"
    assert proxy.passed[f"{HOST}:443"] > asked
    assert proxy.refused == []
    assert files_with(tmp_path, SECRET) == []


def test_the_settings_stand_over_the_variables(company, way, tmp_path):
    wrong = {**ENVIRON, "HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    assert solve(tmp_path, way, wrong) == ["acme-data"]


@pytest.mark.parametrize("lacking", ["ca_bundle", "proxy", "no_proxy", "password"])
def test_without_the_certificate_or_the_proxy_the_channel_cannot_be_reached(company, way, tmp_path, lacking):
    proxy, cert = company
    given = {"proxy": proxy.url, "ca_bundle": str(cert)}
    if lacking == "no_proxy":
        given["no_proxy"] = HOST
    elif lacking == "password":
        given["proxy"] = proxy.url.replace(SECRET, f"not-{SECRET}")
    else:
        del given[lacking]
    with pytest.raises(EnvironmentFailed) as caught:
        solve(tmp_path, Settings(**given))
    assert "proxy and ca_bundle" in caught.value.hint
    assert SECRET not in str(caught.value.payload())
    assert bool(proxy.passed) == (lacking == "ca_bundle")


PARENT = """
import os, sys
from pathlib import Path
from sendoff.environments import conda
from sendoff.environments.indexes import Indexes, Supply
conda.solve(["x"], [sys.argv[1]], Supply(Indexes(), os.environ, print), cache=Path(sys.argv[2]))
"""


def test_it_ends_with_the_process_that_asked_for_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = f"http://127.0.0.1:{silent.getsockname()[1]}/silent"
        parent = subprocess.Popen([sys.executable, "-c", PARENT, channel, str(tmp_path)], env=ENVIRON)
        silent.settimeout(60)
        asking = silent.accept()[0]  # py-rattler is at work
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert len(children) == 1
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        end = time.monotonic() + 30
        while _alive(children[0]) and time.monotonic() < end:
            time.sleep(0.02)
        asking.close()
    assert not _alive(children[0])


def _alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

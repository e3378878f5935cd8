"""Flags override what the deployment configuration file says, and nothing else."""

from __future__ import annotations

from typing import Any

import click
import pytest

from sendoff.cli import deployment_flags
from sendoff.errors import InvalidInput, NotSupported
from sendoff.spec.deployment import AutoScaler, DeploymentSpec, LivenessProbe

FILE = DeploymentSpec(
    compute_type="AKS", cpu_cores=1.0, memory_gb=2.0, autoscaler=AutoScaler(max_replicas=4), auth_enabled=True
)


def parsed(*argv: str) -> dict[str, Any]:
    """What click hands to a command for these flags."""

    @click.command()
    @deployment_flags.flags
    def command(**flags: Any) -> dict[str, Any]:
        return flags

    result: dict[str, Any] = command.main(list(argv), standalone_mode=False)
    return result


def test_no_flag_leaves_the_file_as_it_is():
    assert deployment_flags.overridden(FILE, parsed()) == FILE


def test_a_flag_stands_over_the_files_value():
    spec = deployment_flags.overridden(FILE, parsed("--cc", "0.5", "--ae", "false", "--ma", "8", "--ps", "5"))
    assert spec.cpu_cores == 0.5
    assert spec.memory_gb == 2.0
    assert spec.auth_enabled is False
    assert spec.autoscaler == AutoScaler(max_replicas=8)
    assert spec.liveness_probe == LivenessProbe(period_seconds=5)


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["--ae"], True),
        (["--ae", "True"], True),
        (["-ae", "FALSE"], False),
        (["--auth-enabled=false"], False),
        (["--ae", "--cc", "1"], True),
    ],
)
def test_a_switch_takes_true_or_false_in_any_case_or_nothing(argv: list[str], value: bool):
    assert deployment_flags.given(parsed(*argv))["auth_enabled"] is value


def test_a_switch_that_is_neither_is_refused():
    with pytest.raises(click.BadParameter):
        parsed("--ae", "maybe")


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        ("-ct mycluster", "compute_target_name", "mycluster"),
        ("--compute-type LOCAL --po 6789", "port", 6789),
        ("--nr 3", "num_replicas", 3),
        ("--tm 1000", "scoring_timeout_ms", 1000),
        ("--rm 2", "replica_max_concurrent_requests", 2),
        ("--mr 250", "max_request_wait_time", 250),
        ("--gc 0", "gpu_cores", 0),
        ("--kp a --ks b", "secondary_key", "b"),
        ("--md", "collect_model_data", True),
        ("--dn label --lo here", "dns_name_label", "label"),
    ],
)
def test_two_letter_names_set_their_field(argv: str, field: str, value: object):
    assert getattr(deployment_flags.overridden(DeploymentSpec(), parsed(*argv.split())), field) == value


def test_a_cluster_and_another_kind_contradict_each_other():
    with pytest.raises(InvalidInput, match="names a cluster"):
        deployment_flags.overridden(DeploymentSpec(), parsed("--ct", "c", "--cp", "local"))
    assert deployment_flags.overridden(DeploymentSpec(), parsed("--ct", "c", "--cp", "aks")).compute_type == "AKS"


def test_a_compute_target_alone_means_aks():
    assert deployment_flags.overridden(DeploymentSpec(), parsed("--ct", "c")).compute_type == "AKS"
    spec = deployment_flags.overridden(DeploymentSpec(compute_type="LOCAL"), parsed("--ct", "c"))
    assert spec.compute_type == "LOCAL"


@pytest.mark.parametrize("argv", [["--po", "70000"], ["--gb", "0"], ["--at", "0"], ["--ma", "1", "--mi", "2"]])
def test_values_out_of_range_are_refused(argv: list[str]):
    with pytest.raises(InvalidInput):
        deployment_flags.overridden(DeploymentSpec(), parsed(*argv))


@pytest.mark.parametrize("argv", [["--vn", "v1"], ["--tp", "10"]])
def test_flags_of_features_to_come_say_so(argv: list[str]):
    with pytest.raises(NotSupported):
        deployment_flags.given(parsed(*argv))


def test_flags_of_the_clouds_key_vault_are_taken_and_named_in_the_timeline():
    changed = deployment_flags.overridden(DeploymentSpec(), {"key_name": "k", "vault_base_url": "v"})
    assert changed.ignored == ["--key-name", "--vault-base-url"]

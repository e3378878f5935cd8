"""`ParallelRunConfig` written to a file and read again, and files that are something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendoff import Environment
from sendoff.sdk.exceptions import UserErrorException
from sendoff.sdk.pipelines.parallel_run import ParallelRunConfig

WHOLE = {
    "environment": "environment: {name: mine}",
    "entry_script": "entry_script: batch.py",
    "error_threshold": "error_threshold: 3",
    "output_action": "output_action: append_row",
    "compute_target": "compute_target: local",
    "node_count": "node_count: 1",
}


def test_what_is_written_is_read_again(ws):
    registered = Environment("mine").register(ws)
    config = ParallelRunConfig(registered, "batch.py", -1, "append_row", "local", 1, mini_batch_size="1MB")
    config.save_to_yaml("batch.yml")
    read = ParallelRunConfig.load_yaml(ws, "batch.yml")
    assert (read.environment.name, read.environment.version) == ("mine", registered.version)
    told = [{name: value for name, value in vars(one).items() if name != "environment"} for one in (config, read)]
    assert told[0] == told[1] and told[1]["mini_batch_size"] == "1MB"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a mapping with 'environment' and 'entry_script' was expected"),
        ("- 1\n", "a mapping with 'environment' and 'entry_script' was expected"),
        ("entry_script: x\n", r"lacks environment, error_threshold, output_action, compute_target, node_count"),
        ("\n".join([*WHOLE.values()]).replace("{name: mine}", "mine"), "environment has to be a mapping with 'name'"),
        ("\n".join(WHOLE.values()), "'mine'"),
    ],
)
def test_another_file_is_refused_by_what_it_lacks(ws, text, said):
    Path("batch.yml").write_text(text)
    with pytest.raises(UserErrorException, match=said):
        ParallelRunConfig.load_yaml(ws, "batch.yml")


def test_a_file_that_is_not_there_is_named(ws):
    with pytest.raises(UserErrorException, match=r"configuration file batch\.yml does not exist"):
        ParallelRunConfig.load_yaml(ws, "batch.yml")

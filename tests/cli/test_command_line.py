"""Parsing: unknown names, aliases with one dash, options before the command, help, completion, the docs' page."""

from __future__ import annotations

import inspect
import shutil
import subprocess
from pathlib import Path

import click
import pages
import pytest

from sendoff.cli import deployment_flags
from sendoff.cli.command import Command, Group
from sendoff.cli.root import LAZY, root

from .conftest import SCRIPT, Cli

COMMANDS = {" ".join(words[1:]): command for words, command in pages.commands()}
LEAVES = {name: command for name, command in COMMANDS.items() if not isinstance(command, Group)}


def options(command: click.Command) -> set[str]:
    return {name for param in command.params for name in param.opts if name.startswith("-")}


def test_no_arguments_print_the_help(cli: Cli):
    done = cli()
    assert done.code == 0
    assert "Commands:" in done.out


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["modle", "list"], "Did you mean 'model'?"),
        (["model", "lst"], "Did you mean 'list'?"),
        (["model", "list", "--latets"], "--latest"),
        (["model", "zzz"], "There are: delete, deploy"),
    ],
)
def test_a_mistyped_name_is_a_usage_error_with_the_nearest_one(cli: Cli, argv: list[str], hint: str):
    done = cli(*argv)
    assert done.code == 2
    assert done.out == ""
    assert hint in done.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("deploy -n svc", "sendoff model deploy"),
        ("logs", "sendoff service get-logs"),
        ("ps", "sendoff service list"),
        ("help", "sendoff --help"),
        ("service logs -n svc", "sendoff service get-logs"),
    ],
)
def test_a_short_word_leads_to_the_command_meant(cli: Cli, typed: str, meant: str):
    done = cli(*typed.split())
    assert done.code == 2
    assert f"It is: {meant}" in done.err


def test_every_short_word_means_a_command_that_there_is():
    for group in (root, COMMANDS["service"]):
        assert isinstance(group, Group)
        assert group.short and not {meant for meant in group.short.values() if meant not in {*LEAVES, "--help"}}
        assert not set(group.short) & set(group.list_commands(click.Context(group)))


def test_what_is_not_here_is_in_help_when_all_is_asked_for(cli: Cli):
    plain, everything = cli("datastore", "--help").out, cli("datastore", "--help", "--all").out
    assert "not here." not in plain and "--all shows them too" in plain
    assert "attach-blob" in everything and "upload" in everything and "--all" not in everything
    assert "pipeline" not in cli("--help").out and "pipeline" in cli("--all").out
    assert "clone-draft" in cli("pipeline", "--help").out, "who asks for it is shown it"


def test_common_options_have_a_page_of_their_own(cli: Cli):
    plain = cli("service", "show", "--help").out
    assert "--help-common" in plain and "--subscription-id" not in plain and len(plain.splitlines()) < 16
    assert "--subscription-id" in cli("service", "show", "--help-common").out


@pytest.mark.parametrize("words", ["sendoff modle ", "sendoff model nothing ", "sendoff --path /nowhere model list "])
def test_completion_prints_nothing_into_the_prompt(script: Cli, words: str):
    done = script(env={"_SENDOFF_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "3"})
    assert (done.code, done.err) == (0, "")


def test_a_missing_option_is_named(cli: Cli):
    done = cli("model", "update")
    assert done.code == 2
    assert "--model-id" in done.err
    assert "sendoff model update --help" in done.err


def test_the_articles_deploy_without_a_name_is_told_what_to_add(cli: Cli):
    done = cli("model", "deploy", "-m", "my_Model:1", "--ic", "inferenceconfig.json", "--dc", "deploymentconfig.json")
    assert done.code == 2
    assert "sendoff model deploy -n my-model" in done.err


def test_the_articles_add_tag_on_profile_tags_the_model_and_says_where_it_belongs(cli: Cli):
    Path("m.txt").write_text("1")
    cli("workspace", "create", "-w", "ws")
    cli("model", "register", "-w", "ws", "-n", "mymodel", "-p", "m.txt")
    tags = ("--add-tag", "requestedCpu=1", "--add-tag", "requestedMemoryInGb=0.5")
    done = cli("model", "profile", "-g", "rg", "-w", "ws", "--i", "mymodel:1", *tags)
    assert done.data["tags"] == {"requestedCpu": "1", "requestedMemoryInGb": "0.5"}
    assert "sendoff model update -i mymodel:1" in done.err


@pytest.mark.parametrize(
    "argv",
    [
        ["workspace", "share", "-w", "ws", "--user", "ann@example.org", "--role", "reader"],
        ["model", "deploy", "-n", "svc", "-m", "m:1", "--vn", "v1", "--tp", "10"],
    ],
)
def test_what_is_not_there_yet_says_so_and_what_to_do(cli: Cli, argv: list[str]):
    done = cli(*argv)
    assert done.code == 6, done.err
    assert "hint: " in done.err


# Flags of spec/surface.md sec. 7, beyond the common set.
AZ_FLAGS = {
    "model register": "--name -n --asset-path --cpu-cores --cc --description -d --experiment-name --memory-gb --gb "
    "--gpu-cores --gc --model-framework --model-framework-version --model-path -p --output-metadata-file "
    "-t --property --run-id -r --run-metadata-file -f --sample-input-dataset-id "
    "--sample-output-dataset-id --tag",
    "model list": "--dataset-id --latest -l --model-name -n --property --run-id --tag",
    "model show": "--model-id -i --model-name -n --run-id --version",
    "model update": "--model-id -i --add-property --add-tag --cpu-cores --cc --description --memory-gb --gb "
    "--gpu-cores --gc --remove-tag --sample-input-dataset-id --sample-output-dataset-id",
    "model download": "--model-id -i --target-dir -t --overwrite",
    "model delete": "--model-id -i",
    "model deploy": "--name -n --ae --auth-enabled --ai --enable-app-insights --ar --autoscale-refresh-seconds --as "
    "--autoscale-enabled --at --autoscale-target-utilization --autoscale-max-replicas --ma "
    "--autoscale-min-replicas --mi --base-image --bi --base-image-registry --ir --cc --cpu-cores --ccl "
    "--cpu-cores-limit --cf --conda-file --collect-model-data --md --compute-target --ct --compute-type "
    "--cp --cuda-version --cv --dc --deploy-config-file --description --dn --dns-name-label --ds "
    "--extra-docker-file-steps --ed --environment-directory --eg --enable-gpu --entry-script --es "
    "--environment-name -e --environment-version --ev --failure-threshold --ft --gb --memory-gb --gbl "
    "--memory-gb-limit --gc --gpu-cores --ic --inference-config-file --id --initial-delay-seconds "
    "--key-name --key-version --kp --primary-key --ks --secondary-key --lo --location "
    "--max-request-wait-time --mr --model -m --model-metadata-file -f --namespace --no-wait --nr "
    "--num-replicas --overwrite --period-seconds --ps --pi --profile-input --po --port --property "
    "--replica-max-concurrent-requests --rm --rt --runtime --sc --ssl-cname --scoring-timeout-ms --tm "
    "--sd --source-directory --se --ssl-enabled --sk --ssl-key-pem-file --sp --ssl-cert-pem-file --st "
    "--success-threshold --subnet-name --tag --timeout-seconds --ts --token-auth-enabled --tp "
    "--traffic-percentile --vault-base-url --version-name --vn --vnet-name -ct -ic -dc",
    "model package": "--cf --conda-file --ed --environment-directory --entry-script --es --environment-name -e "
    "--environment-version --ev --ic --inference-config-file --il --image-label --image-name --in --model "
    "-m --model-metadata-file -f --no-wait --output-path --rt --runtime --sd --source-directory",
    "model profile": "--name -n --base-image --bi --base-image-registry --ir --cc --cpu-cores --cf --conda-file "
    "--description --ed --environment-directory --entry-script --es --environment-name -e "
    "--environment-version --ev --gb --memory-in-gb --ic --inference-config-file --idi --input-dataset-id "
    "--model -m --model-metadata-file -f --output-metadata-file -t --sd --source-directory",
    "service update": "--name -n --add-property --add-tag --ae --auth-enabled --ai --enable-app-insights --ar "
    "--autoscale-refresh-seconds --as --autoscale-enabled --at --autoscale-target-utilization "
    "--autoscale-max-replicas --ma --autoscale-min-replicas --mi --base-image --bi --base-image-registry "
    "--ir --cc --cpu-cores --ccl --cpu-cores-limit --cf --conda-file --collect-model-data --md "
    "--compute-target --cuda-version --cv --dc --deploy-config-file --description -d --dn "
    "--dns-name-label --ds --extra-docker-file-steps --ed --environment-directory --eg --enable-gpu "
    "--entry-script --es --environment-name -e --environment-version --ev --failure-threshold --ft --gb "
    "--memory-gb --gbl --memory-gb-limit --gc --gpu-cores --ic --inference-config-file --id "
    "--initial-delay-seconds --is-migration --kp --primary-key --ks --secondary-key --lo --location "
    "--max-request-wait-time --mr --model -m --model-metadata-file -f --no-wait --nr --num-replicas "
    "--period-seconds --ps --po --port --remove-tag --replica-max-concurrent-requests --rm --rt --runtime "
    "--sc --ssl-cname --scoring-timeout-ms --tm --sd --source-directory --se --ssl-enabled --sk "
    "--ssl-key-pem-file --sp --ssl-cert-pem-file --st --success-threshold --timeout-seconds --ts "
    "--token-auth-enabled",
    "service list": "--compute-type -c --image-digest --model-id --model-name --property --tag",
    "service show": "--name -n",
    "service delete": "--name -n",
    "service run": "--name -n --input-data -d",
    "service get-logs": "--name -n --init -i --num_lines -l",
    "service get-keys": "--name -n",
    "service regen-key": "--key -k --name -n --set-key -s",
    "service get-access-token": "--name -n",
    "environment scaffold": "--directory -d --name -n --output-metadata-file -t",
    "environment register": "--directory -d --output-metadata-file -t",
    "environment list": "--output-metadata-file -t",
    "environment show": "--name -n --output-metadata-file -t --version -v",
    "environment download": "--directory -d --name -n --output-metadata-file -t --overwrite --version -v",
    "folder attach": "--experiment-name -e --output-metadata-file -t",
    "workspace create": "--workspace-name -w --exist-ok --friendly-name -f --location -l --sku --tags -t --yes -y",
    "workspace delete": "--all-resources --no-wait --output-metadata-file -t",
    "workspace list": "",
    "workspace show": "--output-metadata-file -t",
    "workspace share": "--role --user --output-metadata-file -t",
}
COMMON = (
    "--output -o --query --path --resource-group -g --workspace-name -w --subscription-id --subscription -v --debug "
)
COMMON += "--verbose --only-show-errors"


@pytest.mark.parametrize("name", AZ_FLAGS)
def test_every_flag_that_az_ml_has_is_known(name: str):
    wanted = {*AZ_FLAGS[name].split(), *COMMON.split()}
    assert wanted - options(LEAVES[name]) == set()


@pytest.mark.parametrize("name", [name for name in LEAVES if name != "serve"])
def test_every_command_takes_the_common_options(name: str):
    assert set(COMMON.split()) - options(LEAVES[name]) == set()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_can_be_called_with_what_its_options_are_handed_over_as(name: str):
    command = COMMANDS[name]
    if command.callback is None:
        return
    taken = inspect.signature(command.callback).parameters
    if any(one.kind is one.VAR_KEYWORD for one in taken.values()):
        return
    assert {one.name for one in command.params if one.expose_value} <= set(taken)


def test_no_option_name_means_two_things_in_one_command():
    for name, command in LEAVES.items():
        names = [text for param in command.params for text in (*param.opts, *param.secondary_opts)]
        assert len(names) == len(set(names)), name


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_help_and_an_example_of_itself(name: str):
    command = LEAVES[name]
    assert isinstance(command, Command)
    assert command.help and len(command.help) > 20
    assert f"sendoff {name}" in command.example
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help or param.hidden, f"{name} {param.opts}"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_well_and_shows_the_example(cli: Cli, name: str):
    done = cli(*name.split(), "--help")
    assert done.code == 0
    assert done.err == ""
    command = COMMANDS[name]
    if isinstance(command, Command):
        assert "Example:" in done.out
        assert command.example.strip().splitlines()[0] in done.out


def test_summaries_in_lazy_tables_are_those_of_the_commands():
    for group in (root, COMMANDS["model"], COMMANDS["service"]):
        assert isinstance(group, Group)
        for name, (_, summary) in group.lazy.items():
            command = group.get_command(click.Context(group), name)
            assert command is not None and command.help is not None
            first = command.help.split("\n\n")[0].replace("\n", " ").removesuffix(": not there yet.")
            assert summary.rstrip(".").split(",")[0] in first.rstrip(".") or summary == first, name
    assert set(LAZY) == {name for name in COMMANDS if " " not in name}


def test_docs_cli_md_is_what_the_commands_say():
    page = Path(__file__).parents[2] / "docs" / "cli.md"
    assert page.read_text(encoding="utf-8") == pages.cli(), "run: make docs"


def test_every_deployment_key_has_a_flag():
    from sendoff.spec.data_collection import DataCollection
    from sendoff.spec.deployment import AutoScaler, DeploymentSpec, LivenessProbe

    fields = set(DeploymentSpec.__struct_fields__) - {"autoscaler", "liveness_probe", "data_collection"}
    fields |= {f"data_collection.{name}" for name in DataCollection.__struct_fields__}
    fields |= {f"autoscaler.{name}" for name in AutoScaler.__struct_fields__}
    fields |= {f"liveness_probe.{name}" for name in LivenessProbe.__struct_fields__}
    # The first three have flags of their own on deploy and update; texts of files come from the files; one is gathered
    # from flags that do nothing; the section for clusters is a file's.
    elsewhere = {"description", "tags", "properties", "ssl_cert_pem", "ssl_key_pem", "ignored", "kubernetes"}
    assert fields - elsewhere == {flag.field for flag in deployment_flags.FLAGS}


def test_a_choice_for_completion_is_offered(script: Cli):
    done = script(env={"_SENDOFF_COMPLETE": "bash_complete", "COMP_WORDS": "sendoff model re", "COMP_CWORD": "2"})
    assert "register" in done.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_parse(cli: Cli, tmp_path: Path, shell: str):
    done = cli("completion", shell)
    assert done.code == 0
    assert "_SENDOFF_COMPLETE" in done.out
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not on this machine")
    file = tmp_path / "completion"
    file.write_text(done.out)
    assert subprocess.run([program, "-n", str(file)], check=False, capture_output=True).returncode == 0


def test_a_reader_that_goes_away_is_no_error_message(home: Path):
    process = subprocess.Popen(
        [str(SCRIPT), "model", "deploy", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()  # gone before the first byte is written
    errors = process.stderr.read()
    assert process.wait(timeout=30) == 141
    assert errors == b""
    process.stderr.close()


def test_a_closed_stdout_is_no_crash(home: Path):
    done = subprocess.run(["bash", "-c", f"'{SCRIPT}' version >&-"], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_a_full_disk_under_the_output_is_told_as_one(home: Path):
    done = subprocess.run(
        ["bash", "-c", f"'{SCRIPT}' version >/dev/full"], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 7
    assert done.stderr.startswith(b"error: the disk is full\nhint: Free some space")
    assert b"Exception ignored" not in done.stderr


def test_version_is_printed_by_the_command_and_by_the_option(script: Cli):
    assert script("--version").out.startswith("sendoff ")
    assert script("version", "-o", "json").data["sendoff"]


def test_only_what_a_command_needs_is_imported(home: Path):
    code = (
        "import sys; from sendoff.cli.__main__ import run; run(['model', 'list', '--help']);"
        "print(sorted(set(sys.modules) & {'rich', 'sqlalchemy', 'yaml', 'jmespath', 'sendoff.cli.commands.service',"
        "'sendoff.cli.commands.deploy', 'sendoff.api', 'importlib.metadata'}))"
    )
    done = subprocess.run(
        [SCRIPT.with_name("python"), "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"

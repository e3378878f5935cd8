"""``sendoff computetarget``: names that scripts deploy to, and what is known of the clusters behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import yaml

from ...errors import AlreadyExists, InvalidInput, NotSupported
from ...spec.compute import AKS, AML_COMPUTE, KUBERNETES, Compute, CreateCompute, UpdateCompute
from ...spec.parse import read_file
from .. import options
from ..command import Decorator, Group, option, together
from ..session import Session
from .cloud import refused

COLUMNS = (("Name", "name"), ("Type", "type"), ("State", "provisioningState"), ("Attached", "attached"),
           ("Runs on", "runsOn"), ("Created", "createdTime"))  # fmt: skip
_HERE = "Kept and shown; nothing is provisioned."


@click.group(cls=Group)
def computetarget() -> None:
    """Name compute targets, and list them. Nothing is provisioned: a created target stands for this machine."""


@computetarget.group("create")
def create() -> None:
    """Keep a compute target that stands for this machine."""


@computetarget.group("attach")
def attach() -> None:
    """Keep a compute target that stands for a cluster elsewhere."""


@computetarget.group("update")
def update() -> None:
    """Change what is kept of a compute target."""


_no_wait = options.ignored("--no-wait", is_flag=True, help="Taken for scripts' sake; it takes no time.")


def _dropped(name: str, *short: str, metavar: str = "TEXT") -> Decorator:
    return options.ignored(f"--{name}", *short, metavar=metavar, help="Taken and not kept.")


def _kept(*names: str) -> Decorator:
    return together(*(option(f"--{name}", default=None, metavar="TEXT", help=_HERE) for name in names))


_TLS = ("ssl-cert-file", "ssl-cname", "ssl-key-file", "ssl-leaf-domain-label")
_VNET = ("subnet-name", "vnet-name", "vnet-resourcegroup-name")
_BALANCER = ("load-balancer-subnet", "load-balancer-type")
_overwrite = option("--ssl-overwrite-domain", is_flag=True, default=None, help=_HERE)
_new_name = options.name("Its name: 2 to 24 letters, digits or '-'.")
_name = options.name("Its name.")
_which = options.name("Which one.")
_location = option("--location", "-l", default=None, metavar="TEXT", help=_HERE)
_words = together(
    option("--description", default=None, metavar="TEXT", help="Free text."),
    option("--tag", multiple=True, metavar="KEY=VALUE", help="Tag to put on it; repeat for more."),
)


def _keep(session: Session, name: str, type: str, *, attached: bool = False, **given: Any) -> Compute:
    tags = options.pairs(given.pop("tag", ()), "--tag")
    body = CreateCompute(
        name=name,
        type=type,
        location=given.pop("location", None) or "local",
        description=given.pop("description", None) or "",
        tags=tags,
        attached=attached,
        resource_id=given.pop("resource_id", None),
        namespace=given.pop("namespace", None),
        properties={key: value for key, value in given.items() if value not in (None, ())},
    )
    found = {view.name: view for view in session.client.computes(session.workspace)}.get(name)
    view = found if found is not None and found.type == type else session.client.create_compute(session.workspace, body)
    session.say(view.note)
    return view


@create.command("aks", columns=COLUMNS, example="sendoff computetarget create aks -n my-aks -a 3")
@_new_name
@option("--agent-count", "-a", type=int, default=None, help=_HERE)
@_location
@option("--vm-size", "-s", default=None, metavar="TEXT", help=_HERE)
@_kept("cluster-purpose", "dns-service-ip", "docker-bridge-cidr", "service-cidr", *_BALANCER, *_TLS, *_VNET)
@_overwrite
@_no_wait
def create_aks(session: Session, name: str, **given: Any) -> Compute:
    """Name a cluster that is this machine; `attach aks` names a real one."""
    return _keep(session, name, AKS, **given)


@create.command(
    "amlcompute",
    columns=COLUMNS,
    example="sendoff computetarget create amlcompute -n cpu-cluster -s STANDARD_D2_V2 --max-nodes 4",
)
@_new_name
@option("--max-nodes", type=int, required=True, help=_HERE)
@option("--vm-size", "-s", required=True, metavar="TEXT", help=_HERE)
@option("--min-nodes", type=int, default=None, help=_HERE)
@option("--idle-seconds-before-scaledown", type=int, default=None, help=_HERE)
@option("--vm-priority", "-p", default=None, metavar="TEXT", help=_HERE)
@_location
@_words
@_kept("admin-username", "assign-identity", "enable-node-public-ip", "remote-login-port-public-access", *_VNET)
@_dropped("admin-user-password")
@_dropped("admin-user-ssh-key")
@_no_wait
def create_amlcompute(session: Session, name: str, **given: Any) -> Compute:
    """Name a training or batch cluster that is this machine."""
    return _keep(session, name, AML_COMPUTE, **given)


@create.command("computeinstance", columns=COLUMNS, example="sendoff computetarget create computeinstance -n me -s x")
@_name
@option("--vm-size", "-s", required=True, metavar="TEXT", help=_HERE)
@_words
@_kept("ssh-public-access", "user-object-id", "user-tenant-id", *_VNET)
@_dropped("admin-user-ssh-public-key")
@_no_wait
def create_computeinstance(session: Session, name: str, **given: Any) -> Compute:
    """Name a notebook machine that is this machine."""
    return _keep(session, name, "ComputeInstance", **given)


@create.command("datafactory", columns=COLUMNS, example="sendoff computetarget create datafactory -n df")
@_name
@_location
@_no_wait
def create_datafactory(session: Session, name: str, **given: Any) -> Compute:
    """Name a data factory; nothing here uses it."""
    return _keep(session, name, "DataFactory", **given)


_cluster = together(
    option("--compute-resource-id", "-i", "resource_id", default=None, metavar="ID",
           help="Which cluster it is; a context of the kubeconfig that is called like its last part is taken."),
    option("--context", default=None, metavar="NAME", help="The kubeconfig's context that reaches it."),
    option("--kubeconfig", default=None, metavar="FILE", help="Else KUBECONFIG's, else kubectl's own."),
    option("--in-cluster", is_flag=True, default=None, help="As the account of the pod that Sendoff runs in."),
    option("--namespace", default=None, metavar="NAME", help="Where services go; else sendoff-WORKSPACE."),
    option("--options", default=None, metavar="FILE",
           help="The section kubernetes for all services on it, JSON or YAML (docs/kubernetes.md)."),
)  # fmt: skip


def _attach(session: Session, name: str, type: str, given: dict[str, Any]) -> Compute:
    if not (given["resource_id"] or given["context"] or given["in_cluster"]):
        raise InvalidInput(
            "which cluster is meant is not said",
            hint="--context NAME names one of the kubeconfig; `kubectl config get-contexts` lists them.",
            field="context",
        )
    if given.get("kubeconfig"):
        given["kubeconfig"] = str(Path(given["kubeconfig"]).expanduser().absolute())
    if (options_file := given.pop("options")) is not None:
        given["kubernetes"] = read_file(Path(options_file))
    view = _keep(session, name, type, attached=True, **given)
    before = view.properties.get("context")
    if given["context"] and before != given["context"]:
        raise AlreadyExists(
            f"compute target {name!r} is attached already, by {f'context {before!r}' if before else 'its name alone'}",
            hint=f"Detach it first: `sendoff computetarget detach -n {name}`.",
            name=name,
        )
    return view


@attach.command("aks", columns=COLUMNS, example="sendoff computetarget attach aks -n prod --context prod")
@_name
@_cluster
def attach_aks(session: Session, name: str, **given: Any) -> Compute:
    """Name an AKS cluster, and deploy to it where a context of the kubeconfig reaches it."""
    return _attach(session, name, AKS, given)


@attach.command(
    "kubernetes", columns=COLUMNS, example="sendoff computetarget attach kubernetes -n kube --context kind-kube"
)
@_name
@_cluster
def attach_kubernetes(session: Session, name: str, **given: Any) -> Compute:
    """Name a Kubernetes cluster, and deploy to it where a context of the kubeconfig reaches it."""
    return _attach(session, name, KUBERNETES, given)


@computetarget.command("rbac", example="sendoff computetarget rbac -n prod > role.yaml")
@_which
@option("--namespace", default=None, metavar="NAME", help="Which one; else where its services go.")
def rbac(session: Session, name: str, namespace: str | None) -> None:
    """Print the Role that is enough to deploy to a cluster, for an administrator to apply."""
    found = session.client.compute_rights(session.workspace, name, namespace)
    click.echo(yaml.safe_dump_all(found.objects, sort_keys=False), nl=False)


@attach.command(
    "remote", columns=COLUMNS, example="sendoff computetarget attach remote -n box -a 10.0.0.4 -u me --ssh-port 22"
)
@_name
@option("--address", "-a", required=True, metavar="HOST", help=_HERE)
@option("--ssh-port", type=int, required=True, help=_HERE)
@option("--username", "-u", required=True, metavar="NAME", help=_HERE)
@_dropped("password", "-p")
@_dropped("private-key-file", metavar="FILE")
@_dropped("private-key-passphrase")
def attach_remote(session: Session, name: str, **given: Any) -> Compute:
    """Name a machine reached over SSH; Sendoff does not log in to it."""
    return _keep(session, name, "VirtualMachine", attached=True, **given)


def _change(session: Session, name: str, given: dict[str, Any]) -> Compute:
    body = UpdateCompute(properties={key: value for key, value in given.items() if value not in (None, False)})
    return session.client.update_compute(session.workspace, name, body)


@update.command("aks", columns=COLUMNS, example="sendoff computetarget update aks -n my-aks --ssl-cname x")
@_which
@_kept(*_BALANCER, *_TLS)
@_overwrite
@option("--ssl-disable", is_flag=True, help=_HERE)
@option("--ssl-renew", is_flag=True, help=_HERE)
@_no_wait
def update_aks(session: Session, name: str, **given: Any) -> Compute:
    """Keep other HTTPS or load balancer settings."""
    return _change(session, name, given)


@update.command("amlcompute", columns=COLUMNS, example="sendoff computetarget update amlcompute -n c --max-nodes 2")
@_which
@option("--idle-seconds-before-scaledown", type=int, default=None, help=_HERE)
@option("--max-nodes", type=int, default=None, help=_HERE)
@option("--min-nodes", type=int, default=None, help=_HERE)
def update_amlcompute(session: Session, name: str, **given: Any) -> Compute:
    """Keep other scale settings."""
    return _change(session, name, given)


@computetarget.command("list", columns=COLUMNS, example="sendoff computetarget list -o table")
def list_(session: Session) -> list[Compute]:
    """List compute targets."""
    return session.client.computes(session.workspace)


@computetarget.command("show", columns=(*COLUMNS, ("Note", "note"), ("Properties", "properties")),
                       example="sendoff computetarget show -n my-aks")  # fmt: skip
@_which
def show(session: Session, name: str) -> Compute:
    """Show one compute target, and where its services run."""
    return session.client.compute(session.workspace, name)


@computetarget.command("delete", example="sendoff computetarget delete -n my-aks")
@_which
def delete(session: Session, name: str) -> None:
    """Forget a compute target; services that were deployed to it go on."""
    session.client.delete_compute(session.workspace, name)
    session.say(f"Forgot compute target {name!r}.")


@computetarget.command("detach", example="sendoff computetarget detach -n prod")
@_which
def detach(session: Session, name: str) -> None:
    """Forget an attached compute target; the cluster stays as it is."""
    session.client.delete_compute(session.workspace, name)
    session.say(f"Detached compute target {name!r}.")


@computetarget.command("get-credentials", example="sendoff computetarget get-credentials -n prod")
@_which
def get_credentials(session: Session, name: str) -> None:
    """A cluster's credentials: none are kept."""
    view = session.client.compute(session.workspace, name)
    raise NotSupported(
        f"no credentials are kept of {name!r}: {view.note}",
        hint="Use your own kubeconfig (KUBECONFIG) for the cluster.",
    )


_INSTANCE = "A notebook machine is the machine you work on: it is neither started nor stopped."
computeinstance = Group("computeinstance", help="Notebook machines: nothing to start or stop.")
for _verb in ("start", "stop", "restart"):
    computeinstance.add_command(refused(f"computetarget computeinstance {_verb}", "A notebook machine", _INSTANCE))
computetarget.add_command(computeinstance)

_USER = "What runs on this machine runs as its user."
_identity = Group("identity", help="Identities of a cluster: not here.")
for _verb in ("assign", "remove", "show"):
    _identity.add_command(
        refused(
            f"computetarget amlcompute identity {_verb}",
            f"{_verb.capitalize()} identities of a cluster",
            _USER,
        )
    )
amlcompute = Group("amlcompute", help="Identities of a cluster: not here.")
amlcompute.add_command(_identity)
computetarget.add_command(amlcompute)

"""The docker target: containers of a Docker engine on this machine, behind the gateway (docs/docker-target.md)."""

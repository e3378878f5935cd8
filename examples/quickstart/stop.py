"""End every service of the quickstart's home. Run by `make quickstart-stop`."""

import os
import sys
from pathlib import Path

import sendoff


def main() -> int:
    if not (Path(os.environ["SENDOFF_HOME"]) / "sendoff.db").exists():
        print("Nothing to stop.")
        return 0
    for workspaces in sendoff.Workspace.list().values():
        for ws in workspaces:
            for service in ws.webservices.values():
                service.delete()
                print(f"stopped {service.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

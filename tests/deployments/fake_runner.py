"""The runner with fake targets and environments (deployment_rigs): what these tests start instead of the real one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from deployment_rigs import fake_rooms

from sendoff.deployments import runner

if __name__ == "__main__":
    runner.make_rooms = fake_rooms
    sys.exit(runner.main())

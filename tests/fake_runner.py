"""The runner with fake targets and environments (deployment_rigs): what these tests start instead of the real one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from deployment_rigs import FakeCore

from sendoff.programs import runner

if __name__ == "__main__":
    sys.exit(runner.main(core=FakeCore))

"""The runner on a table with one more line: what ``test_one_folder_one_line`` starts instead of the real one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from test_one_folder_one_line import LINE, SmallCore

from sendoff.programs import runner
from sendoff.targets import table

if __name__ == "__main__":
    table.KINDS.update(LINE)
    sys.exit(runner.main(core=SmallCore))

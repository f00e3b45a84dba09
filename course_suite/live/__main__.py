"""Make the page's weights from a record and the folder of its run: ``python -m course_suite.live RECORD WORK``."""

import sys
from pathlib import Path

from course_suite.live.weights import export

print(export(Path(sys.argv[1]), Path(sys.argv[2])))

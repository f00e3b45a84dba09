"""``python -m course_lib.suite`` is the ``course`` command."""

import sys

from course_lib.suite.cli import main

sys.exit(main())

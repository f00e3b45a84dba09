"""``python -m course_suite`` is the ``course`` command."""

import sys

from course_suite.cli import main

sys.exit(main())

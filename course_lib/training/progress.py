"""When a progress bar is shown."""

from __future__ import annotations

import os
import sys


def shown(progress: bool | str) -> bool:
    """Whether to show a bar: as told, or with "auto" where somebody is looking.

    Somebody looks at a terminal and at a notebook. The variable TQDM_DISABLE, which the tool sets that executes the
    chapters, says that nobody does.
    """
    if progress != "auto":
        return bool(progress)
    return "TQDM_DISABLE" not in os.environ and (sys.stderr.isatty() or _in_notebook())


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")

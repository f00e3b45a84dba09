"""How a run shows itself: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from course_suite.execute import Result


class Progress:
    """Follows the chapters of one run. Safe to call from several threads."""

    def __init__(self, console: Console):
        self.console = console
        self._lock = threading.Lock()
        self._running: dict[str, tuple[float, int, int]] = {}
        self._live = Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def started(self, stem: str) -> None:
        """A chapter's kernel is starting."""
        with self._lock:
            self._running[stem] = (time.monotonic(), 0, 0)
            if not self._live:
                self.console.print(f"run        {stem}", highlight=False)

    def cell(self, stem: str, number: int, total: int) -> None:
        """A chapter has come to code cell ``number`` of ``total``."""
        with self._lock:
            self._running[stem] = (self._running[stem][0], number, total)

    def ended(self, result: Result) -> None:
        """A chapter has its result."""
        with self._lock:
            self._running.pop(result.stem, None)
            seconds = "" if result.seconds is None else f"{result.seconds:6.1f} s"
            self.console.print(f"{result.status:<10} {result.stem:<36} {seconds}".rstrip(), highlight=False)

    def refresh(self) -> None:
        """Draw the live table again."""
        if not self._live:
            return
        table = Table(box=None, show_header=False)
        with self._lock:
            for stem, (start, number, total) in self._running.items():
                where = f"cell {number} of {total}" if total else "starting"
                table.add_row("running", stem, where, f"{time.monotonic() - start:.0f} s")
        self._live.update(table, refresh=True)

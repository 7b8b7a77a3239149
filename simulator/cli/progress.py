"""Progress on stderr, for runs that take longer than two seconds."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

PATIENCE_SECONDS = 2.0


class Progress:
    """A callback `progress(done, total)` and a context manager; rich is imported only when there is a bar to show."""

    def __init__(self, unit: str = "") -> None:
        """`unit` is what is counted; its rate is shown."""
        self._unit = unit
        self._start = time.monotonic()
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        """Take note of how far the run is."""
        if self._bar is None:
            if time.monotonic() - self._start < PATIENCE_SECONDS or done >= total:
                return
            self._open(total)
        rate = done / max(time.monotonic() - self._start, 1e-9)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total, rate=rate)

    def _open(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = [TextColumn("simulating"), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn()]
        if self._unit:
            columns.insert(3, TextColumn(f"{{task.fields[rate]:,.0f}} {self._unit}/s"))
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._bar.add_task("simulating", total=total, rate=0.0)
        self._bar.start()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

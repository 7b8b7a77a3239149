"""Progress on a terminal's stderr: a line from the first second, a bar where a run takes longer than two."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from threading import Event, Thread
from types import TracebackType
from typing import Any

from simulator.engine.listeners import while_compiling, while_noting

PATIENCE_SECONDS = 2.0
TICK_SECONDS = 1.0
CLEAR = "\r\x1b[K"


class Status:
    """A line on a terminal that says what is being done, and for how many seconds; none without a terminal."""

    def __init__(self, text: str) -> None:
        self.text, self._start, self._closed = text, time.monotonic(), Event()
        self._thread: Thread | None = None

    def say(self, text: str) -> None:
        """What is being done now."""
        self.text = text
        self._write()

    def open(self) -> None:
        """Begin."""
        if sys.stderr.isatty():
            self._thread = Thread(target=self._tick, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Clear the line."""
        if self._thread is not None:
            self._closed.set()
            self._thread.join()
            self._thread = None
            sys.stderr.write(CLEAR)
            sys.stderr.flush()

    def _tick(self) -> None:
        while not self._closed.wait(TICK_SECONDS):
            self._write()

    def _write(self) -> None:
        if self._thread is not None:
            sys.stderr.write(f"{CLEAR}{self.text}, {time.monotonic() - self._start:.0f} s")
            sys.stderr.flush()


class Progress:
    """A callback `progress(done, total)` and a context manager; rich is imported only when there is a bar to show: not
    where stderr is a pipe or a file.

    With the name of a `unit`, such as points, the bar says how many there are and how many are done in a second.
    """

    def __init__(self, unit: str = "", doing: str = "simulating") -> None:
        self._start, self._unit, self._doing = time.monotonic(), unit, doing
        self._bar: Any = None
        self._noted: list[str] = []
        self._listening = ExitStack()
        self._status = Status(doing)

    def compiled(self, done: int, total: int) -> None:
        """Say at once that the engine is being compiled, and on a terminal how far it is and for how long."""
        text = f"compiling the engine, once: {done} of {total}"
        if sys.stderr.isatty():
            self._status.say(text if done < total else self._doing)
        elif done == 0:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
        self._start = time.monotonic()  # patience is for the run

    def note(self, text: str) -> None:
        """Say once what the person should know of the cache of compiled kernels."""
        if text not in self._noted:
            self._noted.append(text)
            sys.stderr.write(f"Note: {text}\n")

    def __call__(self, done: int, total: int) -> None:
        """Take note of how far the run is."""
        if self._bar is None:
            soon = time.monotonic() - self._start < PATIENCE_SECONDS or done >= total
            if soon or not sys.stderr.isatty():
                return
            self._open(total)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def _open(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
        from rich.text import Text

        self._status.close()
        unit = self._unit

        class Rate(ProgressColumn):
            """How many are done in a second."""

            def render(self, task: Task) -> Text:
                return Text(f"{task.completed:,.0f} of {task.total or 0:,.0f} {unit}, {task.speed or 0:.3g}/s")

        parts = [TextColumn(self._doing), BarColumn(20 if unit else 40), TextColumn("{task.percentage:.0f} %")]
        columns = [*parts, *([Rate()] if unit else []), TimeRemainingColumn()]
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._bar.add_task(self._doing, total=total)
        self._bar.start()

    def __enter__(self) -> Progress:
        self._listening.enter_context(while_compiling(self.compiled))
        self._listening.enter_context(while_noting(self.note))
        self._status.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()
        self._status.close()
        if self._bar is not None:
            self._bar.stop()

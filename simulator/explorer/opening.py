"""The explorer as a command and as a widget of a notebook."""

from __future__ import annotations

import asyncio
import threading
import webbrowser
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from simulator.errors import SimulatorError
from simulator.explorer.sources import SEED, Source, source

if TYPE_CHECKING:
    from simulator.explorer.server import Explorer
    from simulator.language import Scenario


class ExplorerError(SimulatorError):
    """The page cannot be served."""

    exit_code = 3


def open_page(word: str, *, seed: int | None, port: int, browser: bool, ready: Callable[[str], None]) -> None:
    """Serve the page until it is interrupted.

    Parameters
    ----------
    word : str
        A scenario, or the folder of a study.
    seed : int, optional
        That of the study, or 1.
    port : int
        0: one that is free.
    browser : bool
        Open the page in the browser of this machine.
    ready : callable
        Is given the address when the page can be opened.

    Raises
    ------
    ExplorerError
        Tornado is missing, or the port is taken.
    """
    explorer = _explorer(source(word, seed), port)

    def told() -> None:
        ready(explorer.address)
        if browser:
            webbrowser.open(explorer.address)

    try:
        asyncio.run(explorer.serve(told))
    except KeyboardInterrupt:
        return


def _explorer(first: Source, port: int) -> Explorer:
    try:
        from simulator.explorer.server import Explorer
    except ModuleNotFoundError as error:
        fact = f"the explorer needs {error.name}"
        raise ExplorerError(f"{fact}. Install it with pip install 'als-simulator[app]'") from None
    try:
        return Explorer(first, port)
    except OSError as error:
        raise ExplorerError(f"port {port} cannot be used: {error.strerror}. Choose another, or 0") from None


class Widget:
    """The explorer in a notebook: the page, served by the notebook's own process.

    Parameters
    ----------
    scenario : Scenario
        What its sliders change.
    seed : int
        Seed of the random numbers.
    height : int
        Of the frame, in pixels.
    """

    def __init__(self, scenario: Scenario, seed: int = SEED, height: int = 900) -> None:
        self.height = height
        self._explorer = _explorer(Source(scenario, seed, scenario.source_file), 0)
        begun = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(begun,), name="explorer server", daemon=True)
        self._thread.start()
        begun.wait()

    @property
    def address(self) -> str:
        """The address of the page on this machine."""
        return self._explorer.address

    def _serve(self, begun: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._explorer.serve(begun.set))
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            return

    def close(self) -> None:
        """End the page."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def __repr__(self) -> str:
        return f"<explorer {self.address}>"

    def _repr_html_(self) -> str:
        place = escape(self.address, quote=True)
        frame = f'<iframe src="{place}" title="Explorer" width="100%" height="{self.height}" style="border:0"></iframe>'
        return f'{frame}<p><a href="{place}" target="_blank" rel="noopener">Open it in a tab of its own</a></p>'

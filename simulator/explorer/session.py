"""One tab of the page: what it asks is done in a thread of its own, the newest place of the sliders first.

A slider that moves asks again and again; of those only the last counts. At rest the run is done once more with its
patients, then over parameter vectors where bands are wanted. A closed tab, or the next move, ends what is under way.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from simulator.analysis.trial.registry import ANALYSES
from simulator.errors import SimulatorError
from simulator.explorer import copies, running
from simulator.explorer.controls import ControlError, Panel
from simulator.explorer.picture import patient, picture
from simulator.explorer.sources import Source, names, opened
from simulator.language.display import lines

REST = 0.4
"""Seconds without a move after which a run is done with its patients."""
OFTEN = 0.2
"""Seconds between two words on how far something is."""
MOST_ASKED = 20
"""Things that one tab may wait for."""
Message = dict[str, Any]


class Stopped(SimulatorError):
    """The tab was closed, or its sliders were moved: what was under way is wanted no more."""


class Session:
    """What one tab asks for and gets.

    Parameters
    ----------
    source : Source
        What is open at first.
    send : callable
        Takes a message for the tab; called in the thread of the session.
    """

    def __init__(self, source: Source, send: Callable[[Message], None]) -> None:
        self._first, self._source, self._send = source, source, send
        self._panel: Panel | None = None
        self._newest: Message | None = None
        self._shown: Message | None = None
        self._asked: deque[Message] = deque()
        self._due = False
        self._closed = False
        self._changed = threading.Condition()
        self.thread = threading.Thread(target=self._work, name="explorer session", daemon=True)
        self.thread.start()

    def ask(self, message: Any) -> None:
        """Take a message of the tab; called from any thread."""
        if not isinstance(message, dict) or not isinstance(message.get("ask"), str):
            self._send({"kind": "fault", "message": "A message is an object with a text `ask`."})
            return
        with self._changed:
            if message["ask"] == "show":
                self._newest = message
            elif len(self._asked) < MOST_ASKED:
                self._asked.append(message)
            self._changed.notify()

    def close(self) -> None:
        """End the work of the session."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _work(self) -> None:
        """Do what is asked until the tab is closed."""
        while (next_one := self._next()) is not None:
            do, message = next_one
            try:
                do(message)
            except Stopped:
                if message["ask"] != "show":
                    self._answer(message, {"kind": "stopped"})
            except SimulatorError as error:
                self._answer(message, {"kind": "fault", "message": str(error)})
            except Exception as error:  # a fault of the program must not end the session
                text = f"Internal error: {type(error).__name__}: {error}. Report it with the command that shows it"
                self._answer(message, {"kind": "fault", "message": text})

    def _next(self) -> tuple[Callable[[Message], None], Message] | None:
        """The next thing to do, waited for; None at the end."""
        with self._changed:
            while not self._closed:
                if self._asked and (self._panel is None or self._asked[0]["ask"] == "open" or self._newest is None):
                    return self._other, self._asked.popleft()
                if self._newest is not None:
                    message, self._newest = self._newest, None
                    return self._show, message
                if self._due and self._shown is not None and not self._changed.wait(REST):
                    self._due = False
                    return self._settle, self._shown
                if not self._due:
                    self._changed.wait()
            return None

    def _answer(self, message: Message, answer: Message) -> None:
        if not self._closed:
            self._send(answer | {"id": message.get("id"), "ask": message["ask"]})

    def _go_on(self, message: Message) -> None:
        """End what is under way where it is wanted no more; what was asked for once is ended by a move only."""
        at_rest = message["ask"] == "show"
        if self._closed or self._newest is not None or (at_rest and self._asked):
            raise Stopped("stopped")

    def _progress(self, message: Message) -> running.Progress:
        """Say how far it is, a few times a second, and end it where it is wanted no more."""
        last = time.monotonic()

        def tell(done: int, of: int) -> None:
            nonlocal last
            self._go_on(message)
            if time.monotonic() > last + OFTEN:
                last = time.monotonic()
                self._answer(message, {"kind": "progress", "done": done, "of": of})

        return tell

    @property
    def panel(self) -> Panel:
        """The sliders of what is open."""
        if self._panel is None:
            raise ControlError("nothing is open. Ask to open a scenario first")
        return self._panel

    def _show(self, message: Message) -> None:
        """The pictures of where the sliders are, from sums."""
        moved, day = _moved(message), _day(message)
        begin = time.perf_counter()
        result = running.fast(self.panel, moved, self._source.seed)
        shown = picture(result, day)
        took = round(1000 * (time.perf_counter() - begin))
        self._answer(message, {"kind": "shown", "picture": shown, "took": took})
        self._shown, self._due = message, True

    def _settle(self, message: Message) -> None:
        """The same with patients, then bands where they are wanted."""
        moved, seed = _moved(message), self._source.seed
        if self.panel.scenario.person is not None:
            if message.get("bands") is True:
                raise ControlError("twins of one person are not looked for vector by vector: their spread is their own")
            return
        result = running.whole(self.panel, moved, seed, lambda done, of: self._go_on(message))
        shown = picture(result, _day(message))
        self._answer(message, {"kind": "shown", "picture": shown, "settled": True})
        if message.get("bands") is True:
            for step in running.bands(self.panel, moved, seed, result, shown["day"]):
                self._go_on(message)
                self._answer(message, {"kind": "bands", **step})

    def _other(self, message: Message) -> None:
        """What is asked for once."""
        do = {
            "open": self._open,
            "copy": self._copy,
            "patient": self._patient,
            "power": self._power,
            "report": self._report,
        }
        if message["ask"] not in do:
            raise ControlError(f"{message['ask'][:40]!r} cannot be asked. Choose from show, {', '.join(do)}")
        do[message["ask"]](message)

    def _open(self, message: Message) -> None:
        """A scenario and its sliders."""
        self._source = opened(message.get("scenario"), self._first)
        self._panel, self._shown, self._due = Panel(self._source.scenario), None, False
        scenario = self._source.scenario
        answer = {
            "kind": "opened",
            "scenario": self._source.word,
            "scenarios": names(self._first),
            "title": scenario.title,
            "about": [list(pair) for pair in lines(scenario)],
            "controls": [one._replace(places=())._asdict() for one in self._panel.controls.values()],
            "seed": self._source.seed,
            "draws": running.DRAWS,
            "trial": list(scenario.trial.analysis_days) if scenario.trial else [],
            "analyses": [[name, (one.run.__doc__ or name).splitlines()[0]] for name, one in ANALYSES.items()],
        }
        self._answer(message, answer)

    def _copy(self, message: Message) -> None:
        """The scenario as it is now, to be taken away."""
        moved, seed, how = _moved(message), self._source.seed, message.get("as")
        if how == "yaml":
            text = copies.as_yaml(self.panel, moved, seed)
        elif how == "command":
            text = copies.as_command(self.panel, moved, seed, self._source.word)
        elif how == "python":
            text = copies.as_python(self.panel, moved, seed, self._source.word)
        else:
            raise ControlError("a copy is made as yaml, command or python")
        self._answer(message, {"kind": "copy", "as": how, "text": text})

    def _patient(self, message: Message) -> None:
        """One patient in every arm."""
        number = message.get("number")
        if isinstance(number, bool) or not isinstance(number, int):
            raise ControlError("a patient has a whole number, from 0")
        result = running.patient(self.panel, _moved(message), self._source.seed, number)
        self._answer(message, {"kind": "patient", "number": number, "curve": patient(result, number)})

    def _power(self, message: Message) -> None:
        """The power of the scenario's trial."""
        found = running.power(self.panel, _moved(message), self._source.seed, message, self._progress(message))
        self._answer(message, {"kind": "power", **found})

    def _report(self, message: Message) -> None:
        """The report of the run as one HTML file, which the browser saves."""
        from simulator.report.page import report_html

        result = running.kept(self.panel, _moved(message), self._source.seed, self._progress(message))
        self._go_on(message)
        self._answer(
            message, {"kind": "report", "name": f"{self._source.scenario.name}.html", "html": report_html(result)}
        )


def _moved(message: Message) -> Mapping[str, Any]:
    """Where the sliders are."""
    moved = message.get("moved", {})
    if not isinstance(moved, dict):
        raise ControlError("`moved` is an object: the name of a slider to its value")
    return moved


def _day(message: Message) -> float | None:
    """The day of the table."""
    day = message.get("day")
    if day is not None and (isinstance(day, bool) or not isinstance(day, (int, float))):
        raise ControlError("`day` is a number of days since baseline")
    return day

"""The explorer without a browser: who may ask, what is answered, what is copied, what a closed tab ends."""

import asyncio
import http.client
import json
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect
from typer.testing import CliRunner

import simulator as sim
from simulator.cli.app import app
from simulator.errors import SimulatorError
from simulator.explorer import copies, opening, running
from simulator.explorer.controls import Panel
from simulator.explorer.opening import Widget
from simulator.explorer.picture import POINTS, picture
from simulator.explorer.sources import source
from simulator.language import parse
from simulator.language.loading import bundled
from simulator.results.folder import write_folder
from simulator.studies.single_run import Request, scenario_of

EFFECT, START = "treatments.tofersen.effect.mean", "arms.delayed_start.0.from_day"
PEOPLE = 60
ENOUGH = 60


class Tab:
    """What a tab of the page does: a wire with the page's own origin."""

    def __init__(self, widget, **headers):
        explorer = widget._explorer
        self.loop = asyncio.new_event_loop()
        headers = {"Origin": f"http://{explorer.hosts[0]}", **headers}
        headers = {key: value for key, value in headers.items() if value is not None}
        token = headers.pop("token", explorer.token)
        address = f"ws://{explorer.hosts[0]}/socket?token={token}"
        self.wire = self.wait(self.connect(HTTPRequest(address, headers=headers)))
        self.number = 0

    async def connect(self, request):
        return await websocket_connect(request)

    async def written(self, text):
        await self.wire.write_message(text)

    async def got(self):
        return await self.wire.read_message()

    def wait(self, work):
        return self.loop.run_until_complete(asyncio.wait_for(work, ENOUGH))

    def ask(self, what, **more):
        self.number += 1
        self.send(json.dumps({"ask": what, "id": self.number, **more}))
        return self.number

    def send(self, text):
        self.wait(self.written(text))

    def read(self):
        return json.loads(self.wait(self.got()))

    def answer(self, what, **more):
        """The answer to this question; what else comes before it is left."""
        mine = self.ask(what, **more)
        while (found := self.read()).get("id") != mine or found["kind"] == "progress":
            pass
        return found

    def fault(self):
        while (found := self.read())["kind"] != "fault":
            pass
        return found

    def close(self):
        self.wire.close()
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()


@pytest.fixture(scope="module")
def panel():
    return Panel(sim.load("valor"))


@pytest.fixture(scope="module")
def widget(panel):
    made = Widget(panel.scenario)
    yield made
    made.close()


@pytest.fixture(scope="module")
def tab(widget):
    made = Tab(widget)
    assert made.answer("open")["kind"] == "opened"
    yield made
    made.close()


def get(widget, path, host=None, method="GET"):
    """Status, headers and text of a request."""
    wire = http.client.HTTPConnection("127.0.0.1", widget._explorer.port, timeout=ENOUGH)
    wire.putrequest(method, path, skip_host=True)
    wire.putheader("Host", host or widget._explorer.hosts[0])
    wire.putheader("Content-Length", "0")
    wire.endheaders()
    found = wire.getresponse()
    text = found.read().decode()
    wire.close()
    return found.status, found.headers, text


def test_the_page_is_whole_and_may_load_nothing_else(widget):
    status, headers, text = get(widget, f"/?token={widget._explorer.token}")
    assert status == 200
    rules = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert text.replace("http://www.w3.org/2000/svg", "").count("http://") == 0
    assert "https://" not in text
    once = rules["script-src"].removeprefix("'nonce-").removesuffix("'")
    assert text.count(once) == 2
    assert once not in get(widget, f"/?token={widget._explorer.token}")[2]


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%C3%A9", "?tokens={token}"])
def test_without_the_token_there_is_nothing(widget, query):
    status, _, text = get(widget, "/" + query.format(token=widget._explorer.token))
    assert status == 403
    assert text.count("\n") == 1
    assert "<" not in text


@pytest.mark.parametrize("host", ["example.org", "example.org:{port}", "127.0.0.1", "127.0.0.1.example.org:{port}"])
def test_another_host_is_refused(widget, host):
    explorer = widget._explorer
    assert get(widget, f"/?token={explorer.token}", host.format(port=explorer.port))[0] == 403


def test_this_machine_has_a_name(widget):
    explorer = widget._explorer
    assert get(widget, f"/?token={explorer.token}", explorer.hosts[1])[0] == 200
    assert {one.getsockname()[0] for one in explorer._sockets} == {"127.0.0.1"}


@pytest.mark.parametrize(
    "path", ["/page.js", "/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/..%5c..%5cetc/passwd"]
)
def test_no_file_is_served(widget, path):
    status, _, text = get(widget, f"{path}?token={widget._explorer.token}")
    assert (status, text) == (404, "404 There is one page, /\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_page_is_only_read(widget, method):
    assert get(widget, f"/?token={widget._explorer.token}", method=method)[0] == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": None},
        {"Origin": "http://127.0.0.1"},
        {"token": "wrong"},
        {"Host": "example.org"},
    ],
)
def test_another_origin_gets_no_wire(widget, headers):
    with pytest.raises(HTTPClientError, match="403"):
        Tab(widget, **headers)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"ask": "show", "moved": {"no.such": 1}}, "no.such"),
        ({"ask": "show", "moved": {EFFECT: 99}}, "outside its range"),
        ({"ask": "show", "moved": {EFFECT: "1"}}, "is no number"),
        ({"ask": "show", "moved": {EFFECT: True}}, "is no number"),
        ({"ask": "show", "moved": {"patients": 10**9}}, "outside its range"),
        ({"ask": "show", "moved": [1]}, "is an object"),
        ({"ask": "show", "day": "1"}, "is a number of days"),
        ({"ask": "open", "scenario": "../../etc/passwd"}, "does not open"),
        ({"ask": "open", "scenario": "/etc/passwd"}, "does not open"),
        ({"ask": "open", "scenario": ["valor"]}, "does not open"),
        ({"ask": "copy", "as": "exe"}, "yaml, command or python"),
        ({"ask": "patient", "number": -1}, "there is no patient"),
        ({"ask": "patient", "number": "0"}, "whole number"),
        ({"ask": "power", "analyses": ["t-test"], "day": 196}, "analyses are one or more of"),
        ({"ask": "power", "analyses": "ancova", "day": 196}, "analyses are one or more of"),
        ({"ask": "power", "analyses": ["ancova"], "day": 197}, "a day of analysis is one of 196, 364, 1036"),
        ({"ask": "run"}, "cannot be asked"),
    ],
)
def test_a_bad_value_gives_one_clear_message(tab, asked, words):
    tab.send(json.dumps(asked))
    found = tab.fault()
    assert words in found["message"]
    assert "\n" not in found["message"]
    assert "Internal error" not in found["message"]
    assert tab.answer("copy", **{"as": "command"})["kind"] == "copy"


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"ask": 1}', '{"moved": {"a": NaN}}'])
def test_what_is_no_message_is_said_so(tab, text):
    tab.send(text)
    assert tab.fault()["message"]
    assert tab.answer("copy", **{"as": "command"})["kind"] == "copy"


@pytest.mark.slow
def test_what_is_shown_is_what_a_run_gives(panel, tab):
    moved = {EFFECT: 0.5, START: 91, "patients": PEOPLE}
    shown = tab.answer("show", moved=moved)["picture"]
    result = sim.simulate(panel.changed(moved), patients=PEOPLE, seed=1)
    curve = next(one for one in shown["curves"] if one["name"] == "function")
    own = result.groups["summary"]["alsfrs_r_death0_mean"].values
    assert own.shape[1] <= POINTS
    assert curve["lines"] == [[float(f"{x:.4g}") for x in row] for row in own]
    assert shown["answer"][0].startswith("early_start against untreated, after 34 months (day 1036): ")
    assert not shown["paired"]


def test_only_what_was_moved_moves(tab):
    before, after = (
        tab.answer("show", moved={"patients": PEOPLE, **more})["picture"]["curves"] for more in ({}, {START: 700})
    )
    for one, other in zip(before, after, strict=True):
        assert one["lines"][:2] == other["lines"][:2]
    assert before[0]["lines"][2] != after[0]["lines"][2]


def test_at_rest_differences_are_paired(tab):
    mine = tab.answer("show", moved={"patients": PEOPLE})["id"]
    found = tab.read()
    assert (found["id"], found["settled"]) == (mine, True)
    assert found["picture"]["paired"]
    assert "in the same patients" in found["picture"]["table"]["caption"]


def test_bands_hold_what_is_moved_and_spread_the_rest(panel, monkeypatch):
    monkeypatch.setattr(running, "DRAWS", 4)
    moved = {EFFECT: 0.4, "patients": PEOPLE}
    *steps, last = running.bands(panel, moved, 1, running.whole(panel, moved, 1), 1036)
    assert [step["done"] for step in steps] == [1, 2, 3, 4]
    ends = last["bands"]["event_free"]
    assert all(low <= high for low, high in zip(*ends[1], strict=True))
    assert "parameters " in last["answer"][0]
    assert not any(EFFECT in settings for settings in running.vectors(panel.changed({EFFECT: 0.4})))
    assert all(EFFECT in settings for settings in running.vectors(panel.scenario))


def test_power_of_the_trial(tab, monkeypatch):
    monkeypatch.setattr(running, "REPLICATES", 8)
    found = tab.answer("power", analyses=["logrank", "joint_rank"], day=196, moved={EFFECT: 1.2})
    assert found["kind"] == "power"
    assert found["picture"]["time"] == [54, 81, 108, 162, 216]
    assert len(found["curve"]["lines"]) == 2
    assert found["curve"]["title"].startswith("With 108 participants: logrank: ")


def test_a_move_ends_the_trial_and_says_so(tab, monkeypatch):
    def endless(panel, moved, seed, asked, progress):
        while True:
            time.sleep(0.01)
            progress(1, 2)

    monkeypatch.setattr(running, "power", endless)
    mine = tab.ask("power", analyses=["ancova"], day=196)
    while tab.read()["kind"] != "progress":
        pass
    tab.ask("show", moved={"patients": PEOPLE})
    while (found := tab.read()).get("id") != mine or found["kind"] == "progress":
        pass
    assert found["kind"] == "stopped"


@pytest.mark.slow
def test_two_people_move_their_own_sliders(widget):
    tabs = [Tab(widget), Tab(widget)]
    places = [{EFFECT: 0.2, "patients": PEOPLE}, {EFFECT: 1.3, "patients": PEOPLE}]
    for one in tabs:
        one.answer("open")
    alone = [one.answer("show", moved=moved)["picture"]["curves"] for one, moved in zip(tabs, places, strict=True)]
    for _ in range(3):
        asked = [one.ask("show", moved=moved) for one, moved in zip(tabs, places, strict=True)]
        for one, mine, curves in zip(tabs, asked, alone, strict=True):
            while (found := one.read()).get("id") != mine or found.get("settled"):
                pass
            assert found["picture"]["curves"] == curves
    assert alone[0] != alone[1]
    for one in tabs:
        one.close()


def threads():
    return [one for one in threading.enumerate() if one.name == "explorer session"]


@pytest.mark.slow
def test_a_closed_tab_ends_its_work(widget, monkeypatch):
    gone = threading.Event()
    done = []

    def endless(*_):
        while True:
            done.append(1)
            time.sleep(0.01)
            yield {"done": len(done), "of": 0}
            if gone.is_set():
                return

    monkeypatch.setattr(running, "bands", endless)
    before = set(threads())
    tab = Tab(widget)
    tab.answer("open")
    tab.ask("show", moved={"patients": PEOPLE}, bands=True)
    while tab.read()["kind"] != "bands":
        pass
    mine = set(threads()) - before
    tab.close()
    for one in mine:
        one.join(ENOUGH)
    gone.set()
    assert len(mine) == 1
    assert not any(one.is_alive() for one in mine)


def test_a_move_ends_bands(tab, monkeypatch):
    def endless(*_):
        while True:
            time.sleep(0.01)
            yield {"done": 1, "of": 0}

    monkeypatch.setattr(running, "bands", endless)
    tab.ask("show", moved={"patients": PEOPLE}, bands=True)
    while tab.read()["kind"] != "bands":
        pass
    found = tab.answer("show", moved={"patients": PEOPLE + 1})
    assert found["picture"]["patients"] == PEOPLE + 1


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_copies_say_what_is_shown(panel, data):
    names = data.draw(st.lists(st.sampled_from(list(panel.controls)), max_size=4, unique=True))
    moved = {}
    for name in names:
        one = panel.controls[name]
        value = data.draw(st.floats(one.low, one.high, allow_subnormal=False))
        moved[name] = min(max(round(value), one.low), one.high) if one.whole else float(f"{value:.4g}")
        moved[name] = min(max(moved[name], one.low), one.high)
    try:
        shown = panel.changed(moved)
    except SimulatorError:  # each slider may stand there alone; not all of them together
        return
    many = shown.replace({"patients": panel.patients(moved)})
    assert parse(copies.as_yaml(panel, moved, 3).encode(), "a.yaml") == many  # a plain `run` has the page's numbers
    words = copies.as_command(panel, moved, 3, "valor").split()
    assert words[:7] == ["als-sim", "run", "valor", "-n", str(panel.patients(moved)), "--seed", "3"]
    assert scenario_of(Request("valor", settings=tuple(words[8::2]))) == shown
    told = copies.as_python(panel, moved, 3, "valor")
    done = {}
    exec(told.replace("sim.simulate(scenario, ", "dict(scenario=scenario, "), done)
    assert done["result"] == {"scenario": shown, "patients": panel.patients(moved), "seed": 3}


def test_sliders_come_from_the_scenario():
    registry = Panel(sim.load("registry"))
    variants = [one for one in registry.controls if one.startswith("disease.variants.")]
    assert len(variants) == 5
    settings = registry.settings({variants[0]: 0.3})
    assert settings["disease.variants.other.share"] == pytest.approx(0.45 + 0.1 - 0.3)
    with pytest.raises(SimulatorError, match="together they are at most 1"):
        registry.settings({name: registry.controls[name].high for name in variants})
    assert not any("tofersen" in name for name in Panel(sim.load("c9orf72")).controls)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(bundled()))
def test_every_bundled_scenario_opens_and_moves(name):
    panel = Panel(sim.load(name))
    few = {"patients": panel.control("patients").low}
    for moved in ({}, *({one.name: end} for one in panel.controls.values() for end in (one.low, one.high))):
        panel.changed(moved)
    json.dumps(picture(running.fast(panel, few, 1)), allow_nan=False)
    json.dumps(picture(running.whole(panel, few, 1)), allow_nan=False)


def test_a_folder_opens_with_its_seed(tmp_path):
    scenario = sim.load("analytic/constant_hazard")
    write_folder(sim.simulate(scenario, patients=20, seed=9), tmp_path / "run")
    found = source(str(tmp_path / "run"))
    assert (found.scenario, found.seed) == (scenario, 9)
    assert found.word == str(tmp_path / "run" / "scenario.resolved.yaml")


def test_a_notebook_shows_the_page_until_it_is_closed(panel):
    widget = panel.scenario.explore(height=500)
    assert get(widget, f"/?token={widget._explorer.token}")[0] == 200
    html = widget._repr_html_()
    assert f'<iframe src="{widget.address}"' in html
    assert 'height="500"' in html
    widget.close()
    with pytest.raises(ConnectionRefusedError):
        get(widget, "/")


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_prints_the_address(as_json, monkeypatch):
    monkeypatch.setattr(opening, "open_page", lambda word, *, ready, **_: ready(f"http://{word}/"))
    found = CliRunner().invoke(app, ["explore", "valor", *(["--json"] if as_json else [])])
    assert found.exit_code == 0
    assert (json.loads(found.stdout)["address"] if as_json else found.stdout.strip()) == "http://valor/"


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tornado.web", None)
    monkeypatch.delitem(sys.modules, "simulator.explorer.server", raising=False)
    with pytest.raises(opening.ExplorerError, match=r"pip install 'als-simulator\[app\]'"):
        Widget(sim.load("valor"))


def test_a_port_that_is_taken_is_said(widget, panel):
    first = source("valor")
    with pytest.raises(opening.ExplorerError, match=f"port {widget._explorer.port} cannot be used"):
        opening._explorer(first, widget._explorer.port)

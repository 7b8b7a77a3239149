"""The explorer's page in a real Chromium: sliders, keys, names for screen readers, a phone, the dark."""

import json

import pytest

import simulator as sim
from simulator.explorer.opening import Widget
from tests.support import chromium

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium")
EFFECT = "treatments.tofersen.effect.mean"
IDLE = "state.picture && !state.waiting && !state.dirty"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    widget = Widget(sim.load("valor"))
    made = chromium.Browser(tmp_path_factory.mktemp("chromium"))
    made.size(1200, 900)
    made.open(f'{widget.address}#{{"scenario":"valor","moved":{{"patients":60}}}}')
    made.until("document.readyState === 'complete' && typeof state === 'object'")
    made.until(f"{IDLE} && state.picture.patients === 60")
    yield made
    faults = made.faults
    made.close()
    widget.close()
    assert not faults


def line(browser):
    """The line of the early start in the first picture."""
    return browser.run("document.querySelectorAll('#f-function path.line')[1].getAttribute('d')")


def row(name):
    return f"document.querySelector('[data-name=\"{name}\"] input[type=range]')"


def test_a_slider_moves_the_pictures(browser):
    before, answer = line(browser), browser.run("document.getElementById('answer').textContent")
    browser.run(f"{{const s = {row(EFFECT)}; s.value = 1.3; s.dispatchEvent(new Event('input', {{bubbles: true}}))}}")
    browser.until(f"{IDLE} && state.moved['{EFFECT}']")
    assert line(browser) != before
    assert browser.run("document.getElementById('answer').textContent") != answer
    assert browser.run("document.querySelectorAll('#f-function path.before').length") == 3
    assert EFFECT in browser.run("decodeURIComponent(location.hash)")
    browser.run("document.getElementById('reset').click()")
    browser.until(f"{IDLE} && !state.moved['{EFFECT}'] && state.picture.patients === 1000")


def test_keys_move_a_slider(browser):
    name = "arms.delayed_start.0.from_day"
    browser.run(f"{row(name)}.focus()")
    browser.press("ArrowRight")
    browser.until(f"{IDLE} && state.moved['{name}'] === 203")
    assert browser.run(f"{row(name)}.getAttribute('aria-valuetext')") == "203 d"
    browser.run("document.getElementById('reset').click()")
    browser.until(f"{IDLE} && !state.moved['{name}']")


def test_everything_that_is_used_has_a_name(browser):
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"slider", "button", "combobox", "checkbox", "spinbutton", "textbox", "image", "img", "region"}
    used = [one for one in tree if one.get("role", {}).get("value") in roles and not one.get("ignored")]
    assert sum(one["role"]["value"] == "slider" for one in used) > 20
    unnamed = [one["role"]["value"] for one in used if not one.get("name", {}).get("value")]
    assert not unnamed


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_without_scrolling_sideways(browser, dark):
    browser.size(390, 844, dark)
    browser.until("document.documentElement.clientWidth === 390")
    assert browser.run("document.documentElement.scrollWidth") == 390
    wide = """[...document.querySelectorAll('figure.chosen svg, .row, button, select')]
        .filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > 391).length"""
    assert browser.run(wide) == 0
    assert browser.run("[...document.querySelectorAll('figure')].filter((one) => one.offsetHeight).length") == 1
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(21, 24, 29)" if dark else "rgb(255, 255, 255)")
    browser.size(1200, 900)


def test_copies_and_one_patient(browser):
    browser.run("document.querySelector('[data-copy=command]').click()")
    browser.until("document.getElementById('copied').value.startsWith('als-sim run valor -n 1000 --seed 1')")
    browser.run("document.getElementById('patient').click()")
    browser.until("document.querySelectorAll('#one path.line').length === 3")


def test_text_of_a_scenario_is_text(browser, tmp_path):
    """Nothing that a scenario says becomes markup."""
    bad = "<img src=x onerror=alert(1)>"
    changed = sim.load("analytic/constant_hazard").content() | {"title": bad}
    changed["arms"] = {bad: next(iter(changed["arms"].values()))}
    (tmp_path / "bad.yaml").write_text(json.dumps(changed))
    widget = Widget(sim.load(tmp_path / "bad.yaml"))
    browser.open(widget.address)
    browser.until(f"typeof state === 'object' && document.title.startsWith('<img') && {IDLE}")
    assert browser.run("document.images.length") == 0
    assert bad in browser.run("document.getElementById('legend').textContent")
    widget.close()

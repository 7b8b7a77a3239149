"""The report in a real Chromium: nothing is cut off on a phone, and letters of figures can be read there."""

import pytest

from simulator.report.page import report_html
from simulator.results import name
from tests.support import chromium
from tests.support.synthetic import make_provenance, make_record

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium")
SIZES = """[...document.querySelectorAll('figure svg text')].map((one) => {
    const m = one.getScreenCTM(); return parseFloat(getComputedStyle(one).fontSize) * Math.hypot(m.a, m.b); })"""
RIGHT = "Math.max(...[...document.querySelectorAll('main *')].map((one) => one.getBoundingClientRect().right))"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    record = make_record(120)
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(report_html(name(record, lambda: make_provenance(record))), "utf-8")
    made = chromium.Browser(tmp_path_factory.mktemp("chromium"))
    made.open(page.as_uri())
    made.until("document.readyState === 'complete'")
    yield made
    made.close()


def test_a_phone_shows_figures_whole_with_letters_of_nine_pixels(browser):
    browser.size(390, 844)
    browser.until("document.documentElement.clientWidth === 390")
    assert browser.run("document.documentElement.scrollWidth") == 390
    assert browser.run(RIGHT) <= 391
    sizes = browser.run(SIZES)
    assert len(sizes) > 200
    assert min(sizes) >= 9


def test_a_desktop_shows_two_figures_side_by_side(browser):
    browser.size(1200, 900)
    browser.until("document.documentElement.clientWidth === 1200")
    tops = browser.run("[...document.querySelectorAll('figure')].map((one) => one.getBoundingClientRect().top)")
    assert tops[0] == tops[1] < tops[2]
    assert min(browser.run(SIZES)) >= 10

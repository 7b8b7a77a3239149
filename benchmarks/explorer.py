"""How long a move of a slider takes to become a picture, in a real Chromium: `python -m benchmarks.explorer`."""

import tempfile
from pathlib import Path

import numpy as np

import simulator as sim
from simulator.explorer.opening import Widget
from tests.support.chromium import Browser

MOVES = 100
SLIDERS = {
    "effect of the drug": "treatments.tofersen.effect.mean",
    "start of the delayed arm": "arms.delayed_start.0.from_day",
    "dose": "treatments.tofersen.regimen.dose_mg",
    "share of p.Ala5Val": "disease.variants.p.Ala5Val.share",
}
IDLE = "state.picture && !state.waiting && !state.dirty"
MOVE = """new Promise((done) => {
    const slider = document.querySelector('[data-name="NAME"] input[type=range]');
    const [low, high] = [Number(slider.min), Number(slider.max)];
    const before = performance.getEntriesByName('move').length;
    slider.value = low + (high - low) * PLACE;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    const look = () => {
        const moves = performance.getEntriesByName('move');
        if (moves.length > before) done([moves[moves.length - 1].duration, state.picture ? state.took : 0]);
        else requestAnimationFrame(look);
    };
    look();
})"""


def main() -> None:
    """Print, for each slider, median, 95th percentile and maximum in ms, and what the simulation took of them."""
    widget = Widget(sim.load("valor"))
    browser = Browser(Path(tempfile.mkdtemp()))
    try:
        browser.size(1200, 900)
        browser.open(widget.address)
        browser.until(f"typeof state === 'object' && {IDLE}")
        print(f"| slider | median | 95 % | most | of it simulated, median |\n{'|---' * 5}|")
        for words, name in SLIDERS.items():
            places = (np.arange(MOVES) * 0.381966) % 1  # far from one another, none twice
            found = [browser.run(MOVE.replace("NAME", name).replace("PLACE", f"{place:.4f}")) for place in places]
            total, simulated = np.array(found).T
            figures = (np.median(total), np.quantile(total, 0.95), total.max(), np.median(simulated))
            print(f"| {words} |", " | ".join(f"{x:.0f}" for x in figures), "|")
            browser.run("document.getElementById('reset').click()")
            browser.until(IDLE)
        assert not browser.faults, browser.faults
    finally:
        browser.close()
        widget.close()


if __name__ == "__main__":
    main()

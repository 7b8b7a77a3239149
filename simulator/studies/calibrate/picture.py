"""Cross-validation as a picture: where published rows lie in their predictive distributions, by source."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from simulator.studies.calibrate.cross_validation import Validated

BANDS = ((1.96, "0.92", "95 %"), (1.2816, "0.84", "80 %"), (0.6745, "0.74", "50 %"))
COLOURS = {"calibration": "#0072b2", "validation": "#d55e00"}
JITTER = 0.28


def draw(found: Validated) -> str:
    """Each row's z, a line for each source; bands are the predictive intervals. SVG text, the same each time."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sources = list(dict.fromkeys(one.cohort for one in found.predictions))
    style: Any = {"svg.hashsalt": "cross_validation", "svg.fonttype": "none", "font.size": 9}
    with mpl.rc_context(style):
        picture = Figure(figsize=(7.2, 1.2 + 0.36 * len(sources)), layout="constrained")
        panel = picture.subplots()
        for reach, grey, label in BANDS:
            panel.axvspan(-reach, reach, color=grey, lw=0, label=f"{label} interval")
        for role, colour in COLOURS.items():
            mine = [one for one in found.predictions if one.role == role]
            aside = np.random.default_rng(1).uniform(-JITTER, JITTER, len(mine))
            height = [sources.index(one.cohort) for one in mine] + aside
            panel.plot([one.z for one in mine], height, "o", ms=3, alpha=0.6, color=colour, label=f"{role} rows")
        panel.set(yticks=range(len(sources)), yticklabels=sources, xlabel="z = (published − predicted)/SD")
        panel.invert_yaxis()
        panel.spines[["top", "right"]].set_visible(False)
        picture.legend(loc="outside lower center", ncols=5, frameon=False)
        text = io.StringIO()
        picture.savefig(text, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"

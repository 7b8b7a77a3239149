"""Prior against posterior: each calibrated value that the scenario holds, before and after the published rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.catalog.calibration import Calibration, Parameter
from simulator.report import style
from simulator.report.kinds import Kind
from simulator.report.picture import Picture, PictureError
from simulator.report.stored_scenario import stored_scenario
from simulator.results import Result

Z90 = 1.6449
NINE = (5, 50, 95)
LEFT, RIGHT = 2.9, 1.2  # inches beside the axes


def held(result: Result) -> tuple[Calibration | None, list[int]]:
    """The calibration of the result's model, and the numbers of those of its values that the scenario holds."""
    from simulator.language.calibrated import calibration_in, places

    scenario, _ = stored_scenario(result)
    if scenario is None:
        return None, []
    content = scenario.content()
    return calibration_in(content), sorted({place.number for place in places(content)})


def draw(result: Result) -> Picture:
    """The picture, in prior SDs from the prior's centre."""
    from simulator.studies.calibrate.apply import calibrated_vector, ensemble

    spec, numbers = held(result)
    if spec is None or not numbers:
        raise PictureError(f"{Kind.posterior}: the scenario holds none of the calibrated values")
    every, vectors, fitted = spec.parameters, ensemble(spec.model), calibrated_vector(spec.name)
    units = _units(result)
    notes = [
        f"{len(numbers)} calibrated values, in prior SDs from the prior's centre. Grey: 90 % of the prior.",
        f"Blue: 90 % of the {len(vectors)} vectors of the ensemble. Dot, and right: the calibrated value.",
        "A blue line as long as the grey one was not informed by the rows.",
    ]
    with style.drawing():
        figure = style.sheet(
            "Prior and posterior of the calibrated values", notes, 1.7 + (0.22 + 0.1 * style.is_narrow()) * len(numbers)
        )
        axes = figure.subplots()
        style.place(figure, len(notes) + 1, left=LEFT, right=RIGHT)
        for k, number in enumerate(numbers):
            low, middle, high = np.percentile(vectors[:, number], NINE)
            axes.hlines(k, -Z90, Z90, color=style.GRID.light, lw=5)
            axes.hlines(k, low, high, color=style.SERIES[0].light, lw=1.6)
            axes.plot([middle], [k], "|", color=style.SERIES[0].light, ms=6)
            axes.plot([fitted[number]], [k], "o", color=style.INK.light, ms=3.5)
            where: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
            axes.text(1.02, k, f"{every[number].value(fitted[number]):.3g} {units.get(number, '')}".strip(), **where)
        axes.set_ylim(len(numbers) - 0.4, -0.6)
        axes.set_yticks(range(len(numbers)), [_label(every[number]) for number in numbers])
        axes.tick_params(length=0, axis="y")
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color=style.SOFT.light, lw=0.8)
        axes.set_xlabel("Prior SDs from the prior's centre")
    return Picture(Kind.posterior, figure, f"Prior and posterior of {len(numbers)} calibrated values")


def _units(result: Result) -> dict[int, str]:
    """Unit of each calibrated value that the scenario holds, by its number."""
    from simulator.language.calibrated import places
    from simulator.language.listing import values

    scenario, _ = stored_scenario(result)
    if scenario is None:
        return {}
    known = {one.address: one.unit or "" for one in values(scenario)}
    return {place.number: known.get(place.address, "") for place in places(scenario.content())}


def _label(parameter: Parameter) -> str:
    return style.beside(parameter.label, LEFT)

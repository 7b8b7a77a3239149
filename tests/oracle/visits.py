"""What a visit sees of the truth (model.md 9)."""

from __future__ import annotations

import math

from .items import measured_items, stages
from .patient import Person
from .philox import MEASURE, MEASURE_STRENGTH, VISIT, Keys
from .units import Numbers

MISSING = math.nan
ENTRY_EFFECT_DAYS = 28.0
STAGES = ("kings_stage", "mitos_stage", "ft9_stage")


def nominal_days(numbers: Numbers) -> list[float]:
    """Nominal visit days up to the end of follow-up: the listed `days`, or 0 and every so many days."""
    visits, end = numbers["visits"], numbers["follow_up_days"]
    if visits.get("days"):
        return [float(day) for day in visits["days"] if day <= end]
    return [visits["every_days"] * k for k in range(int(end // visits["every_days"]) + 1)]


def actual_days(numbers: Numbers, keys: Keys) -> list[float]:
    """The day of each visit, NaN where it is missed.

    Whole days uniform on -jitter..jitter around the nominal day, ``floor((2 j + 1) U) - j``, none for visit 0,
    which is never missed either. A jittered day before day 0 is taken as day 0, one after follow-up as its last day.
    """
    visits, end = numbers["visits"], float(numbers["follow_up_days"])
    width = int(visits.get("jitter_days") or 0)
    days = []
    for visit, nominal in enumerate(nominal_days(numbers)):
        jitter, missing, _, _ = keys.uniforms(VISIT, visit)
        day = nominal if visit == 0 else max(nominal + math.floor((2 * width + 1) * jitter) - width, 0.0)
        missed = visit > 0 and missing < (visits.get("missing") or 0.0)
        days.append(MISSING if missed else min(day, end))
    return days


def measured_alsfrs_r(visits: Numbers, truth: dict[str, float], *, day: float, z: float, pav: bool) -> float:
    """``round(clip(F + Delta (1 - exp(-t/28)) + 1.6 Z, 0, 48))``, half to even.

    From PAV on items 10 and 12 are 0 (model.md 2): F loses two thirds of the respiratory domain.
    """
    total = truth["alsfrs_r"] - (2.0 / 3.0 * truth["alsfrs_r_respiratory"] if pav else 0.0)
    total += lift_at(visits, day) + visits["noise"]["alsfrs_r_points"] * z
    return float(round(min(max(total, 0.0), 48.0)))


def lift_at(visits: Numbers, day: float) -> float:
    """What a visit reads too high, ``Delta (1 - exp(-t/28))`` points of the total."""
    return float((visits.get("entry_effect_points") or 0.0) * (1.0 - math.exp(-day / ENTRY_EFFECT_DAYS)))


def scored_by_items(
    numbers: Numbers, keys: Keys, person: Person, visit: int, truth: dict[str, float], pav_day: float
) -> dict[str, float]:
    """ALSFRS-R as the sum of the items of a visit, and the stages read from them."""
    visits, day = numbers["visits"], truth["day"]
    how = (visits["noise"]["alsfrs_r_points"], lift_at(visits, day), day >= pav_day)
    points = measured_items(person, truth["disease_time"], keys, visit, how)
    fed, ventilated = (truth.get(name, math.inf) < day for name in ("gastrostomy", "niv"))
    return {"alsfrs_r": float(sum(points)), "items": points, **stages(points, False, fed, ventilated)}


def measure(numbers: Numbers, keys: Keys, visit: int, truth: dict[str, float], pav_day: float) -> dict[str, float]:
    """All measurements of one visit that takes place; `truth` holds the variables of that day and `day`.

    SVC cannot be had when bulbar function is below 4, nor from somebody who depends on ventilation: on permanent
    ventilation, or on non-invasive ventilation, which began on day `niv`, with a respiratory domain below 4. NfL below
    the limit of quantification is reported as half of it.
    """
    visits, day = numbers["visits"], truth["day"]
    noise = visits["noise"]
    z = keys.normals(MEASURE, visit)
    z_strength = keys.normals(MEASURE_STRENGTH, visit)[0]
    breath = truth["svc"] + noise["svc_percent"] * z[1]
    nfl = truth["nfl_plasma"] * math.exp(noise["nfl_log_sd"] * z[2])
    depends = day >= pav_day or (truth.get("niv", math.inf) < day and truth["alsfrs_r_respiratory"] < 4.0)
    return {
        "alsfrs_r": measured_alsfrs_r(visits, truth, day=day, z=z[0], pav=day >= pav_day),
        "svc": MISSING if truth["alsfrs_r_bulbar"] < 4.0 or depends else breath,
        "hhd": truth["hhd"] + noise["hhd"] * z_strength,
        "nfl_plasma": nfl if nfl >= noise["nfl_llq"] else 0.5 * noise["nfl_llq"],
        "sod1_csf": truth["sod1_csf"] * math.exp(noise["sod1_log_sd"] * z[3]),
    }


def observe(
    numbers: Numbers,
    keys: Keys,
    truths: dict[float, dict[str, float]],
    ends: dict[str, float],
    person: Person | None = None,
) -> list:
    """Every visit as a dict of `nominal`, `day` and the scenario's assessments; NaN = missing, from day to value.

    Scored by items, three stages come with them, and a visit after death still shows the stage of death.

    Parameters
    ----------
    truths : by day, the variables of the truth.
    ends : `death`, `dropout` (nothing is seen on a later day), `pav` and, where care begins, `niv` and `gastrostomy`.
    """
    rows = []
    assessments = numbers["visits"]["assessments"]
    for visit, (nominal, day) in enumerate(zip(nominal_days(numbers), actual_days(numbers, keys), strict=True)):
        row = {"nominal": nominal, "day": MISSING, **dict.fromkeys(assessments, MISSING)}
        items = person if numbers["visits"].get("scoring") == "items" else None
        if items is not None:
            row |= dict.fromkeys(STAGES, MISSING)
            if not math.isnan(day) and ends["death"] < day and ends["death"] <= ends["dropout"]:
                row |= stages([], dead=True)
        if not math.isnan(day) and day <= min(ends["death"], ends["dropout"]):
            truth = {**truths[day], "day": day, **{name: ends.get(name, math.inf) for name in ("niv", "gastrostomy")}}
            seen = measure(numbers, keys, visit, truth, ends["pav"])
            row |= {"day": day, **{name: seen[name] for name in assessments}}
            if items is not None:
                row |= scored_by_items(numbers, keys, items, visit, truth, ends["pav"])
        rows.append(row)
    return rows

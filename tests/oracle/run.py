"""simulate: every patient in every arm, with everything a comparison needs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

from . import background, safety
from .calendar import ADDONS, antisense_of, dropout_day, treated, weekly_addon
from .clock import cumulative_hazard, function, neurofilament, strength, svc
from .drug import make_drug, multiplier
from .items import latent_items, stages, whole
from .life import Decision, care_days, care_factor, decide, interval_changes, known_events
from .path import Course, State, follow
from .patient import DOMAINS, SITES, Person
from .philox import EVENT, Keys
from .recruit import recruit, stratum_of
from .units import DAYS_PER_MONTH, Numbers
from .visits import actual_days, measure, observe, scored_by_items
from .volatility import study_factors

NO_EVENT, DEATH, PAV = 0, 1, 2


def simulate(
    numbers: Numbers,
    patients: int | Iterable[int],
    seed: int,
    arms: Iterable[str] | None = None,
    times: Iterable[float] | None = None,
    *,
    step: float = 0.25,
) -> list[dict[str, Any]]:
    """One dict per patient: who it is, and under `arms` what happens to it in each arm.

    Parameters
    ----------
    numbers : the resolved scenario as plain numbers, strings, lists and dicts.
    patients : how many patients from number 0, or their numbers.
    seed : 64-bit seed.
    arms : names of the arms wanted; all by default.
    times : days since baseline, within follow-up, at which the truth is wanted; by default every 28 days
        (or `output.every_days`), and the last day.
    step : length of an integration step in days.

    Returns
    -------
    list of dict
        ``patient, variant, candidate`` (accepted number), ``tried``, ``rejected`` (reason: count), ``fast_variant``,
        ``sex`` (0 man, 1 woman), ``site``, ``site_code``, ``age_at_onset`` and ``age`` (years), ``time_since_onset``
        (months), ``disease_time_at_entry``, ``stratum`` (name or None), ``stratum_code``, the traits ``d50, tau_bulbar,
        tau_fine_motor, tau_gross_motor, tau_respiratory, a, v0, tau_v, eta, m0, d_f, L, ec50, e_n, e_f`` (the last
        three of the first antisense treatment), and ``arms``: see `one_arm`.
    """
    if numbers["progression"]["model"] not in ("clock", "regions"):
        raise NotImplementedError("the oracle knows the models `clock` and `regions` only")
    end = float(numbers["follow_up_days"])
    every = (numbers.get("output") or {}).get("every_days") or 28.0
    days = (
        sorted({*(every * k for k in range(int(end // every) + 1)), end}) if times is None else list(map(float, times))
    )
    names = list(numbers["arms"]) if arms is None else list(arms)
    results = []
    for patient in range(patients) if isinstance(patients, int) else patients:
        person, keys, rejected = recruit(numbers, seed, patient)
        result = describe(numbers, person, keys, rejected)
        result["arms"] = {name: one_arm(numbers, person, keys, (name, days), step) for name in names}
        results.append(result)
    return results


def describe(numbers: Numbers, person: Person, keys: Keys, rejected: list[str]) -> dict[str, Any]:
    """Who the patient is."""
    strata = numbers.get("strata") or {}
    code = stratum_of(keys.patient, [entry["share"] for entry in strata.values()]) if strata else 0
    ec50, e_n, e_f = next(iter(person.drugs.values()), (math.nan,) * 3)
    return {
        "patient": keys.patient,
        "variant": person.variant,
        "variant_code": list(numbers["disease"]["variants"]).index(person.variant),
        "candidate": keys.candidate,
        "tried": keys.candidate + 1,
        "rejected": dict(Counter(rejected)),
        "fast_variant": person.fast_variant,
        "sex": person.sex,
        "site": person.site,
        "site_code": SITES.index(person.site),
        "age_at_onset": person.age_at_onset,
        "age": person.age,
        "onset_day": person.onset_day,
        "diagnosis_day": person.onset_day + person.delay_months * DAYS_PER_MONTH,
        "time_since_onset": person.time_since_onset,
        "disease_time_at_entry": person.u0,
        "stratum": list(strata)[code] if strata else None,
        "stratum_code": code,
        **{f"tau_{name}": tau for name, tau in zip(DOMAINS, person.tau, strict=True)},
        **{name: getattr(person, name) for name in ("d50", "a", "v0", "tau_v", "eta", "m0", "d_f")},
        "L": person.scale,
        "ec50": ec50,
        "e_n": e_n,
        "e_f": e_f,
    }


def make_course(
    numbers: Numbers, person: Person, keys: Keys, epochs: list[Numbers], known_now: tuple[list[Decision], float]
) -> Course:
    """What drives the path of a patient in an arm; add-on treatments go on after dropout (model.md 8)."""
    survival, name = numbers["progression"]["survival"], antisense_of(numbers, epochs)
    end, (decisions, dropout) = numbers["follow_up_days"], known_now
    known = known_events(person, decisions)
    weeks = tuple(float(day) for day in range(0, math.floor(end) + 1, 7))
    rate, hazard = (tuple(weekly_addon(numbers, epochs, kind, week) for week in weeks) for kind in ADDONS)
    treatment = numbers["treatments"][name] if name else None
    doses, reactions = treated(numbers, keys, epochs, dropout, (known, interval_changes(decisions)))
    return Course(
        d50=person.d50 if person.falls_ill else math.inf,
        scale=person.scale,
        kappa=survival["steepness"],
        epsilon=survival["state_share"],
        u0=person.u0,
        h0=cumulative_hazard(person.u0, person.scale, survival["steepness"]),
        q=study_factors(keys, numbers["progression"]["volatility"], person.z_volatility, end),
        drug=make_drug(treatment, person.drugs[name]) if treatment and name else None,
        dose_mg=treatment["regimen"]["dose_mg"] if treatment else 0.0,
        q_from=max(person.onset_day, 0.0),
        doses=tuple(doses),
        reactions=tuple(reactions),
        breaks=weeks,
        rate_factors=rate,
        hazard_factors=tuple(c * care_factor(decisions, week) for c, week in zip(hazard, weeks, strict=True)),
    )


def truth_at(
    numbers: Numbers, person: Person, course: Course, at: tuple[float, float], state: State
) -> dict[str, float]:
    """The variables of the truth at a day, and so many days after the first dose; at the floor `rate` is still that of
    the equation."""
    day, on_drug = at
    progression = numbers["progression"]
    s, z2, j, u = state[0], state[2], state[5], state[6]
    points = function(person, u)
    addons = [factor for start, factor in zip(course.breaks, course.rate_factors, strict=True) if start <= day][-1]
    return {
        **points,
        "svc": svc(person, u, progression),
        "hhd": strength(person, points, progression),
        "nfl_plasma": neurofilament(person, (u, j), day, progression),
        "sod1_csf": 1.0 if course.drug is None else 1.0 - course.drug.csf_share * (1.0 - s),
        "rate": multiplier(course.drug, z2, addons, on_drug),
        "disease_time": u,
    }


def outcomes(numbers: Numbers, person: Person, keys: Keys, clock_day: float) -> tuple[int, float, float]:
    """Event kind, its day and the day of death, from the day of death-or-PAV on the clock (model.md 4).

    Background death is always death and competes before and after PAV. After PAV, death comes after an exponential
    time of the given median. Days after the end of follow-up are infinite: they are not seen.
    """
    survival, end = numbers["progression"]["survival"], numbers["follow_up_days"]
    other = background.death_day(numbers["disease"], person, keys.exponential(EVENT, 0, 1))
    _, _, u_kind, u_after = keys.uniforms(EVENT, 0)
    if other < clock_day:
        kind, event, death = DEATH, other, other
    elif u_kind < survival["pav_probability"]:
        after = survival["months_after_pav"] * DAYS_PER_MONTH * -math.log(u_after) / math.log(2.0)
        kind, event, death = PAV, clock_day, min(clock_day + after, other)
    else:
        kind, event, death = DEATH, clock_day, clock_day
    if event > end:
        return NO_EVENT, math.inf, math.inf
    return kind, event, death if death <= end else math.inf


def staged(
    person: Person, truths: dict[float, dict[str, float]], days: list[float], ends: dict[str, float]
) -> dict[str, list[int]]:
    """True stages on every day: of true items, with PAV and death."""
    found = [
        stages(
            whole(latent_items(person, truths[day]["disease_time"]), day >= ends["pav"]),
            day >= ends["death"],
            day > ends["gastrostomy"],
            day > ends["niv"],
        )
        for day in days
    ]
    return {name: [one[name] for one in found] for name in found[0]}


def adverse_events(
    numbers: Numbers, keys: Keys, epochs: list[Numbers], course: Course, last: float
) -> list[safety.Reaction]:
    """Reactions, then what single doses brought, until the last day of life or follow-up."""
    name = antisense_of(numbers, epochs)
    found = [one for one in course.reactions if one.day <= last]
    if name is None or not numbers.get("safety"):
        return found
    regimen = numbers["treatments"][name]["regimen"]
    given = [day for day in course.doses if day <= last]
    return found + [
        safety.Reaction(day, kind, False, day)
        for number, day in enumerate(given)
        for kind in safety.at_dose(numbers, keys, regimen, number)
    ]


def seen_at_visits(
    numbers: Numbers, person: Person, keys: Keys, truths: dict[float, dict[str, float]], ends: dict[str, float]
) -> list[Numbers]:
    """What the visits of a walk measure: all that are held, also of the dead, but not after dropout."""
    visits = []
    for visit, day in enumerate(actual_days(numbers, keys)):
        if not math.isnan(day) and day <= ends["dropout"]:
            truth = {**truths[day], "day": day, "niv": ends["niv"], "gastrostomy": ends["gastrostomy"]}
            seen = measure(numbers, keys, visit, truth, ends["pav"])
            if numbers["visits"].get("scoring") == "items":
                seen |= scored_by_items(numbers, keys, person, visit, truth, ends["pav"])
            seen["bulbar"] = truth["alsfrs_r_bulbar"]
            about = {"visit": visit, "day": day, "disease_time": truth["disease_time"], "assisted": day >= ends["pav"]}
            visits.append(seen | about)
    return visits


def lost_points(how: Numbers, truths: dict[float, dict[str, float]], visits: list[Numbers], week: float) -> float:
    """Points that dropout depends on in a week: of the truth as it begins, or of the last visit by then."""
    if how["missing"] == "MNAR":
        first, now = truths[0.0]["alsfrs_r"], truths[week]["alsfrs_r"]
    else:
        scores = [seen["alsfrs_r"] for seen in visits if seen["day"] <= week]
        first, now = scores[0], scores[-1]
    return float((first if how["points_lost_since"] == "entry" else 48.0) - now)


def one_arm(
    numbers: Numbers, person: Person, keys: Keys, wanted: tuple[str, list[float]], step: float
) -> dict[str, Any]:
    """What happens to a patient in one arm.

    Parameters
    ----------
    wanted : name of the arm, days at which the truth is wanted.

    Returns
    -------
    dict
        ``onset_day`` (u passes 0), ``trigger_day``, ``phenoconversion_day``, ``niv_day``, ``gastrostomy_day``
        (infinite: not by death or the end),
        ``doses`` (days, up to death), ``doses_truth`` (days, as if alive), ``times``, ``truth`` (variable: list over
        the times), ``event`` (0 none, 1 death, 2 PAV), ``event_day``, ``event_free_time``, ``death_day``,
        ``dropout_day`` (infinite when not within follow-up), ``adverse_events`` (day, kind, serious, held until: those
        of the drug, then those of single doses), ``observed`` (a dict per visit, NaN = missing) and
        ``states`` (by day, the tissue concentration C and S, z1, z2, r, x, J, u, H).
    """
    name, days = wanted
    end = float(numbers["follow_up_days"])
    accepted: list[Decision] = []
    how = (numbers.get("attrition") or {}).get("by_function")
    dropout = math.inf if how else dropout_day(numbers, keys)
    looks = {day for day in actual_days(numbers, keys) if not math.isnan(day)} | set(days)
    looks |= {7.0 * week for week in range(int(end // 7.0) + 1)} if how else set()
    while True:
        course = make_course(numbers, person, keys, numbers["arms"][name], (accepted, dropout))
        path = follow(course, looks, end, keys.exponential(EVENT, 0, 0), step=step)
        truths = {
            day: truth_at(numbers, person, course, (day, max(day - path.first_dose, 0.0)), state)
            for day, state in path.at.items()
        }
        kind, event, death = outcomes(numbers, person, keys, path.event_day)
        ends = {"death": death, "dropout": dropout, "pav": event if kind == PAV else math.inf, **care_days(accepted)}
        visits = seen_at_visits(numbers, person, keys, truths, ends)
        found = dropout_day(numbers, keys, partial(lost_points, how, truths, visits)) if how else dropout
        if found < dropout:  # what comes before it is right already
            dropout = found
            continue
        made = decide(numbers, keys, numbers["arms"][name], known_events(person, accepted), visits)
        if made == accepted:
            break
        dropout = math.inf if how else dropout
        same = [one == other for one, other in zip(made, accepted, strict=False)]
        accepted = made[: (same.index(False) if False in same else len(same)) + 1]
    reported = {what: day for what, day, _ in accepted if day <= death}
    return {
        "onset_day": path.onset_day if path.onset_day <= min(death, end) else math.inf,
        "trigger_day": reported.get("trigger", math.inf),
        "phenoconversion_day": reported.get("phenoconversion", math.inf),
        "niv_day": ends["niv"] if ends["niv"] <= min(death, end) else math.inf,
        "gastrostomy_day": ends["gastrostomy"] if ends["gastrostomy"] <= min(death, end) else math.inf,
        "doses": [day for day in course.doses if day <= death],
        "doses_truth": list(course.doses),
        "times": days,
        "truth": {variable: [truths[day][variable] for day in days] for variable in truths[days[0]]}
        | staged(person, truths, days, ends),
        "event": kind,
        "event_day": event,
        "event_free_time": min(event, end),
        "death_day": death,
        "dropout_day": dropout if dropout <= end else math.inf,
        "adverse_events": adverse_events(numbers, keys, numbers["arms"][name], course, min(death, end)),
        "observed": observe(numbers, keys, truths, ends, person),
        "states": {day: (path.concentration[day], *state) for day, state in path.at.items()},
    }

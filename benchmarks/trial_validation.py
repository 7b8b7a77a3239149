"""Validation of the trials: size, coverage, what ANCOVA on survivors finds, and where VALOR's published results fall.

    python -m benchmarks.trial_validation SECTION [REPLICATES] [ANALYSIS,…]

SECTION is one of the functions at the end: `null_108`, `null_60`, `strata`, `options`, `families`, `arms`, `drug_108`,
`survivors`, `primary`, `extension`, `event_free`, `designs`, `rates`, `prognostic`, `borrowing`. Each
writes benchmarks/validation/SECTION.json, and `python -m benchmarks.trial_page` makes docs/trial_validation.md of them.
All use seed 1 and two threads. With names of analyses only these are done, and the others stay as they are (`null_108`,
`null_60`, `drug_108`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import kurtosis, norm, skew

import simulator as sim
from benchmarks.validation_arms import arms
from benchmarks.validation_base import (
    AT,
    DRAWS,
    FOLDER,
    NO_EFFECT,
    OPTIONS,
    PLAIN,
    SEED,
    SLOW,
    THREADS,
    Z_95,
    band,
    below,
    by,
    of_rows,
    rounded,
    share_of,
    spread,
    study,
)
from benchmarks.validation_borrowing import borrowing
from benchmarks.validation_designs import designs, event_free
from benchmarks.validation_families import families
from benchmarks.validation_prognostic import prognostic
from simulator.analysis.replicates import Known, share
from simulator.analysis.trial.data import until
from simulator.analysis.trial.registry import ANALYSES
from simulator.analysis.trial.truth import QUANTITIES
from simulator.replicate import Replicator, compiled
from simulator.studies.trial.decision import claims_at_end
from simulator.studies.trial.entering import most, patients
from simulator.studies.trial.plan import TrialOptions, plan
from simulator.studies.trial.population import lossless, truth
from simulator.studies.trial.rows import ESTIMATED, estimated, observed


def _groups(names: Sequence[str], replicates: int, slow: int) -> list[tuple[list[str], int, int]]:
    """Analyses as (names, day, replicates)."""
    groups = (
        ([n for n in names if n not in (*SLOW, "delayed_start")], 196, replicates),
        ([n for n in names if n == "delayed_start"], 364, replicates),
        ([n for n in names if n in SLOW], 196, slow),
    )
    return [group for group in groups if group[0]]


def _of_108() -> Any:
    """VALOR's 108 people to week 52."""
    return sim.load("valor_extension").replace({"follow_up_days": 378, "trial.analysis_days": [364]})


def _null(scenario: Any, replicates: int, chosen: Sequence[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for names, day, count in _groups(chosen, replicates, max(replicates // 10, 1)):
        options = {name: OPTIONS[name] for name in names if name in OPTIONS}
        out |= _sizes(scenario, TrialOptions(names, days=[day], options=options), count)
    return out


def _sizes(scenario: Any, asked: TrialOptions, count: int) -> dict[str, Any]:
    """Size and coverage of each analysis, and whether they lie within the Monte Carlo band."""
    done, out = study(scenario.replace(NO_EFFECT), asked, count), {}
    day = done.work.plan.days[0]
    for name in asked.analyses:
        out[name] = {"day": day, **_size(done.of(name, day))}
    return out


def _size(rows: np.ndarray) -> dict[str, Any]:
    """Performance of (r, 7) estimates of nothing, and whether it lies within the Monte Carlo band."""
    found = of_rows(rows, 0.0)
    low, high = band(0.05, int(np.isfinite(rows[:, 0]).sum()))
    inside = bool(low <= found["rejection"][0] <= high)
    covers = bool(1 - high <= found["coverage"][0] <= 1 - low)
    return {"replicates": len(rows), "band": [low, high], **found, "inside": inside, "covers": covers}


def _powers(scenario: Any, asked: TrialOptions, count: int) -> dict[str, Any]:
    """Truth of each analysis' own estimand, and performance against it."""
    done = study(scenario, asked, count)
    planned, day = done.work.plan, done.work.plan.days[0]
    target, out = truth(planned, [planned.scenario], SEED, 100_000, THREADS), {}
    for a, name in enumerate(asked.analyses):
        true = Known(float(target.value[0, a, 0]), float(target.mcse[0, a, 0]), target.parts)
        found = of_rows(done.of(name, day), true)
        found["rejection"] = [*share(claims_at_end(planned, name, done.of(name, day)).benefit)]
        out[name] = {"replicates": count, "day": day, "truth": [true.value, true.error], **found}
    return out


def null_108(replicates: int = 10_000, names: Sequence[str] = PLAIN) -> dict[str, Any]:
    """Size and coverage of every analysis under a drug without effect, 108 people."""
    return _null(_of_108(), replicates, names)


def _of_60() -> Any:
    """The 60 faster progressors, 39 and 21."""
    return _of_108().replace({"trial.counts": {"faster": {"early_start": 39, "delayed_start": 21}}})


def null_60(replicates: int = 10_000, names: Sequence[str] = PLAIN) -> dict[str, Any]:
    """The same in 60 faster progressors, 39 and 21."""
    return _null(_of_60(), replicates, names)


VARIANTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "`cox`, likelihood ratio": ("cox", {"test": "likelihood_ratio"}, 10),
    "`cox`, score": ("cox", {"test": "score"}, 10),
    "`cox`, likelihood ratio, Firth": ("cox", {"test": "likelihood_ratio", "penalty": True}, 10),
    "`mmrm`, Kenward–Roger": ("mmrm", {"df": "kenward_roger"}, 10),
    "`controlled_mi`, copy": ("controlled_mi", {"rule": "copy"}, 10),
    "`controlled_mi`, increments": ("controlled_mi", {"rule": "increments"}, 10),
}
"""Options of analyses: the analysis, its options, in which part of the trials it is done."""


def options(replicates: int = 10_000) -> dict[str, Any]:
    """Size and coverage of analyses with options, all in the same trials without an effect."""
    out: dict[str, Any] = {}
    for key, scenario in (("null_108", _of_108()), ("null_60", _of_60())):
        planned = plan(scenario.replace(NO_EFFECT), TrialOptions(["ancova"], days=[196]))
        space = Replicator(compiled([planned.scenario], patients([planned.scenario], planned.size, SEED)))
        rows = {
            label: np.full((replicates // part, len(ESTIMATED)), np.nan) for label, (_, _, part) in VARIANTS.items()
        }
        for number in range(replicates):
            data = until(observed(planned, space.replicate(SEED, number, most(planned.scenario, planned.size))), 196)
            for label, (name, how, part) in VARIANTS.items():
                if number < replicates // part:
                    rows[label][number] = estimated(planned._replace(options={name: how}), name, data, number)
        out[key] = {label: _size(found) for label, found in rows.items()}
    return out


def drug_108(replicates: int = 2000, names: Sequence[str] = PLAIN) -> dict[str, Any]:
    """Bias and coverage against the true value of each analysis' estimand, with the drug of the catalog."""
    out: dict[str, Any] = {}
    for some, day, count in _groups(names, replicates, max(replicates // 4, 1)):
        options = {name: OPTIONS[name] for name in some if name in OPTIONS}
        out |= _powers(_of_108(), TrialOptions(some, days=[day], options=options), count)
    return out


def strata(replicates: int = 10_000) -> dict[str, Any]:
    """Analyses that do not know the strata, 108 people: no effect; the drug, in a fifth of the trials; nobody lost."""
    names, scenario = ["joint_rank", "win_ratio", "responder"], _of_108()
    options = {name: OPTIONS.get(name, {}) | {"stratified": False} for name in names}
    asked, within = TrialOptions(names, days=[196], options=options), TrialOptions(names[:2], days=[196])
    return {
        "null": _sizes(scenario, asked, replicates),
        "drug": _powers(scenario, asked._replace(analyses=names[:2]), replicates // 5),
        "drug_nobody_lost": _powers(lossless(scenario), within, replicates // 5),
    }


def survivors(replicates: int = 4000) -> dict[str, Any]:
    """A drug that only keeps people alive: what analyses of function find, where nobody's function changes."""
    scenario = sim.load("valor_extension").replace(
        {
            "treatments": {"care": {"kind": "hazard_multiplier", "value": 0.3}},
            "arms": {"early_start": [{"treatments": ["care"], "from_day": 0}], "delayed_start": []},
            "trial.counts": {"faster": {"early_start": 120, "delayed_start": 120}},
            "trial.analysis_days": [546],
            "follow_up_days": 560,
        }
    )
    names = ["ancova", "mmrm", "joint_rank"]
    done = study(scenario, TrialOptions(names, days=[546], arms=("early_start", "delayed_start")), replicates)
    planned = done.work.plan
    target = truth(planned, [planned.scenario], SEED, 200_000, THREADS)
    facts = {q.name: [float(target.facts[k, 0]), float(target.facts_mcse[k, 0])] for k, q in enumerate(QUANTITIES)}
    return {
        "replicates": replicates,
        "participants": planned.size,
        "events": done.found.counts[:, 0, :, 1].mean(axis=0).tolist(),
        "truth": facts,
        **{name: spread(done.of(name, 546)[:, 0]) | {"rejection": [*share(done.of(name, 546)[:, AT["p"]] <= 0.05)]}
           for name in names},
    }  # fmt: skip


def rates(replicates: int = 1000) -> dict[str, Any]:
    """Size of the rate ratio whose standard error takes rates for normal, and how far from normal they are."""
    base = _of_108().replace(NO_EFFECT)
    small, out = base.replace({"trial.counts": {"faster": {"early_start": 39, "delayed_start": 21}}}), {}
    asked = TrialOptions(["rate_ratio"], days=[196], options={"rate_ratio": {"robust": False}})
    for key, scenario in (("null_108", base), ("null_60", small)):
        done = study(scenario, asked, replicates)
        out[key] = {"replicates": replicates, **of_rows(done.of("rate_ratio", 196), 0.0)}
    space = Replicator(compiled([lossless(base.replace({"trial.analysis_days": [196]}))], 10_000))
    course = space.population(SEED, 0).truth["alsfrs_r"][-1].astype(np.float64)
    declines = course[:, 0] - course[:, list(space.choices[0].program.calendar.day).index(196)]
    out["declines"] = {"people": len(declines), "skewness": skew(declines), "excess_kurtosis": kurtosis(declines)}
    return out


def _published(rows: np.ndarray, value: float, low: float, high: float, draws: int) -> dict[str, Any]:
    """Where a published estimate and its interval fall among simulated ones."""
    width = (rows[:, AT["upper"]] - rows[:, AT["lower"]])[np.isfinite(rows[:, 0])]
    by_draw = [rows[k::draws, 0] for k in range(draws)] if draws else [rows[:, 0]]
    between = np.var([np.nanmean(one) for one in by_draw], ddof=1) if draws else 0.0
    within = np.nanmean([np.nanvar(one, ddof=1) for one in by_draw])
    repeats = len(rows) / max(draws, 1)
    return {
        **spread(rows[:, 0], draws),
        "power": [*share((rows[:, AT["p"]] <= 0.05) & (rows[:, 0] > 0), by(rows, draws))],
        "right_sign": [*share_of(rows, rows[:, 0] > 0, draws)],
        "at_or_below_published": below(rows[:, 0], value, draws),
        "published": [value, low, high],
        "interval_holds_published": [
            *share((rows[:, AT["lower"]] <= value) & (value <= rows[:, AT["upper"]]), by(rows, draws))
        ],
        "width": spread(width),
        "width_published": high - low,
        "power_with_published_width": float(norm.cdf(np.nanmean(rows[:, 0]) * 2 * Z_95 / (high - low) - Z_95)),
        "width_at_or_above_published": [*share(width >= high - low)],
        "sd_within_a_draw": np.sqrt(within),
        "sd_between_draws": np.sqrt(max(between - within / repeats, 0.0)),
    }


def primary(replicates: int = 4000) -> dict[str, Any]:
    """VALOR's primary analysis in 39 and 21, over the ensemble, with and without the imbalance."""
    names = ["mi", "ancova", "ancova_nfl", "joint_rank", "joint_rank_mi"]
    out: dict[str, Any] = {"draws": DRAWS, "replicates": replicates}
    for key, name in (("balanced", "valor_trial"), ("imbalanced", "valor_trial_imbalanced")):
        done = study(sim.load(name), TrialOptions(names, days=[196]), replicates, DRAWS)
        out[key] = {one: _published(done.of(one, 196), 1.2, -3.2, 5.5, DRAWS) for one in names[:3]}
        for one in names[3:]:
            ranks = done.of(one, 196)
            out[key][one] = {
                **spread(ranks[:, 0], DRAWS),
                "power": [*share((ranks[:, AT["p"]] <= 0.05) & (ranks[:, 0] > 0), by(ranks, DRAWS))],
                "p_at_or_above_published": [*share(ranks[:, AT["p"]] >= 0.97, by(ranks, DRAWS))],
                "no_better_than_published": [
                    *share((ranks[:, 0] <= 0) | (ranks[:, AT["p"]] >= 0.97), by(ranks, DRAWS))
                ],
            }
            near = (abs(done.of("mi", 196)[:, 0] - 1.2) <= 0.5) & (ranks[:, AT["p"]] >= 0.9)
            out[key][one]["near_both"] = [*share(near, by(near, DRAWS))]
        out[key]["events"] = done.found.counts[:, 0, :, 1].mean(axis=0).tolist()
    return out


def extension(replicates: int = 2000) -> dict[str, Any]:
    """Weeks 52 and 148: 72 early, 36 delayed, over the ensemble."""
    out: dict[str, Any] = {"draws": DRAWS, "replicates": replicates}
    names, scenario = ["ancova", "ancova_nfl"], sim.load("valor_extension")
    done = study(scenario, TrialOptions(names, days=[364, 1036]), replicates, DRAWS)
    out["week_52"] = {name: _published(done.of(name, 364), 3.5, 0.4, 6.7, DRAWS) for name in names}
    imputed = study(scenario, TrialOptions(["mi"], days=[364]), replicates, DRAWS)
    out["week_52"]["mi"] = _published(imputed.of("mi", 364), 3.5, 0.4, 6.7, DRAWS)
    out["week_148"] = {name: spread(done.of(name, 1036)[:, 0], DRAWS) for name in names}
    for name in names:
        values = done.of(name, 1036)[:, 0]
        out["week_148"][name] |= {"at_or_below_published": below(values, 3.6, DRAWS), "published": 3.6}
    return out


SECTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    one.__name__: one
    for one in (
        null_108,
        null_60,
        strata,
        options,
        families,
        arms,
        drug_108,
        survivors,
        primary,
        extension,
        event_free,
        designs,
        rates,
        prognostic,
        borrowing,
    )
}


if __name__ == "__main__":
    section, *rest = sys.argv[1:]
    path, wanted = FOLDER / f"{section}.json", [word.split(",") for word in rest if not word.isdigit()]
    counts, more = [int(word) for word in rest if word.isdigit()], {"names": wanted[0]} if wanted else {}
    found = rounded(SECTIONS[section](*counts, **more))
    if wanted:
        known = {**json.loads(path.read_text("utf-8")), **found}
        found = {name: known[name] for name in ANALYSES if name in known}
    text = json.dumps(found, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    print(text)

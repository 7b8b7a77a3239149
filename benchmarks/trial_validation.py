"""Validation of the trials: size, coverage, what ANCOVA on survivors finds, and where VALOR's published results fall.

    python -m benchmarks.trial_validation SECTION [REPLICATES]

SECTION is one of the functions at the end: `null_108`, `null_60`, `stratified`, `drug_108`, `survivors`, `primary`,
`extension`, `event_free`, `designs`, `rates`. Each writes benchmarks/validation/SECTION.json, and
`python -m benchmarks.trial_page` makes docs/trial_validation.md of them. All use seed 1 and two threads.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binom, kurtosis, norm, skew

import simulator as sim
from simulator.analysis.replicates import Known, mean, mean_known, performance, share
from simulator.analysis.trial.data import TrialData
from simulator.analysis.trial.registry import ANALYSES
from simulator.analysis.trial.truth import QUANTITIES
from simulator.replicate import Replicator, compiled
from simulator.studies.calibrate.apply import drawn_scenarios
from simulator.studies.trial import sequential
from simulator.studies.trial.blocks import Work, run
from simulator.studies.trial.decision import claims_at_end
from simulator.studies.trial.entering import most, patients, shortened
from simulator.studies.trial.looks import randomised_on
from simulator.studies.trial.plan import Asked, plan
from simulator.studies.trial.population import lossless, truth
from simulator.studies.trial.replicates import ESTIMATED, Block, observed
from simulator.studies.trial.sizes import sizes

FOLDER = Path(__file__).parent / "validation"
SEED, THREADS, DRAWS = 1, 2, 200
SLOW = ("mi", "rate_ratio")
OPTIONS = {"responder": {"least_change": -6.0}, "delayed_start": {"switch_day": 196, "kept_share": 0.5}}
NO_EFFECT = {"treatments.tofersen.effect.mean": 0, "treatments.tofersen.effect.sd": 0}
AT = {name: k for k, name in enumerate(ESTIMATED)}
YEAR = 365.25
LAST_CUT = 5.4 * YEAR
Z_95 = float(norm.ppf(0.975))


class Study(NamedTuple):
    """A scenario's replicates, and what was done in them."""

    work: Work
    found: Block

    def of(self, name: str, day: int) -> np.ndarray:
        """(r, 7) the estimates of an analysis on a day since randomisation."""
        plan_ = self.work.plan
        return self.found.estimates[:, plan_.analyses.index(name), plan_.days.index(day)]


def study(scenario: Any, asked: Asked, replicates: int, draws: int = 0) -> Study:
    """Replicates of a scenario, over vectors of the ensemble in turn if there are draws."""
    planned = plan(scenario, asked)
    drawn = drawn_scenarios(scenario, draws) if draws else [scenario]
    scenarios = [plan(one, asked).scenario for one in drawn]
    work = Work(planned, compiled(scenarios, patients(scenarios, planned.size, SEED)), SEED, replicates)
    return Study(work, run(work, THREADS))


def band(probability: float, replicates: int) -> list[float]:
    """The 99.9 % Monte Carlo band of a share."""
    return [float(binom.ppf(p, replicates, probability)) / replicates for p in (0.0005, 0.9995)]


def rounded(value: Any) -> Any:
    """Figures to five digits, None where there is none."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.5g}") if np.isfinite(value) else None
    return value


def of_rows(rows: np.ndarray, target: float | Known) -> dict[str, Any]:
    """Performance of (r, 7) estimates against a truth."""
    columns = (rows[:, AT[name]] for name in ("value", "se"))
    is_ = performance(*columns, rows[:, [AT["lower"], AT["upper"]]], rows[:, AT["p"]], truth=target)
    return {name: [one.value, one.mcse] for name, one in is_._asdict().items()}


def by(rows: np.ndarray, draws: int) -> np.ndarray | None:
    """(r,) the draw of each replicate, which those of it share; None without draws."""
    return np.arange(len(rows)) % draws if draws else None


def spread(values: np.ndarray, draws: int = 0) -> dict[str, Any]:
    """Quantiles of estimates, with mean and SD."""
    kept = values[np.isfinite(values)]
    at = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
    return {
        "n": len(kept),
        "mean": [*mean_known(values, by(values, draws))],
        "sd": kept.std(ddof=1),
        "quantiles": dict(zip(map(str, at), np.quantile(kept, at).tolist(), strict=True)),
    }


def below(values: np.ndarray, published: float, draws: int = 0) -> list[float]:
    """Share of estimates at or below a published one, and its error."""
    return _share(values, values <= published, draws)


def _share(rows: np.ndarray, holds: np.ndarray, draws: int) -> list[float]:
    """Share of those with an estimate for whom something holds, and its error."""
    kept = np.isfinite(rows if rows.ndim == 1 else rows[:, 0])
    draw = by(rows, draws)
    return [*share(holds[kept], None if draw is None else draw[kept])]


def _groups(replicates: int, slow: int) -> tuple[tuple[list[str], int, int], ...]:
    """All analyses as (names, day, replicates)."""
    return (
        ([n for n in ANALYSES if n not in (*SLOW, "delayed_start")], 196, replicates),
        (["delayed_start"], 364, replicates),
        (list(SLOW), 196, slow),
    )


def _of_108() -> Any:
    """VALOR's 108 people to week 52."""
    return sim.load("valor_extension").replace({"follow_up_days": 378, "trial.analysis_days": [364]})


def _null(scenario: Any, replicates: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for names, day, count in _groups(replicates, max(replicates // 10, 1)):
        options = {name: OPTIONS[name] for name in names if name in OPTIONS}
        out |= _sizes(scenario, Asked(names, days=[day], options=options), count)
    return out


def _sizes(scenario: Any, asked: Asked, count: int) -> dict[str, Any]:
    """Size and coverage of each analysis, and whether they lie within the Monte Carlo band."""
    done, out = study(scenario.replace(NO_EFFECT), asked, count), {}
    day = done.work.plan.days[0]
    for name in asked.analyses:
        found = of_rows(done.of(name, day), 0.0)
        low, high = band(0.05, int(np.isfinite(done.of(name, day)[:, 0]).sum()))
        out[name] = {"replicates": count, "day": day, "band": [low, high], **found}
        out[name]["inside"] = bool(low <= found["rejection"][0] <= high)
        out[name]["covers"] = bool(1 - high <= found["coverage"][0] <= 1 - low)
    return out


def _powers(scenario: Any, asked: Asked, count: int) -> dict[str, Any]:
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


def null_108(replicates: int = 10_000) -> dict[str, Any]:
    """Size and coverage of every analysis under a drug without effect, 108 people."""
    return _null(_of_108(), replicates)


def null_60(replicates: int = 10_000) -> dict[str, Any]:
    """The same in 60 faster progressors, 39 and 21."""
    counts = {"faster": {"early_start": 39, "delayed_start": 21}}
    return _null(_of_108().replace({"trial.counts": counts}), replicates)


def drug_108(replicates: int = 2000) -> dict[str, Any]:
    """Bias and coverage against the true value of each analysis' estimand, with the drug of the catalog."""
    out: dict[str, Any] = {}
    for names, day, count in _groups(replicates, max(replicates // 4, 1)):
        options = {name: OPTIONS[name] for name in names if name in OPTIONS}
        out |= _powers(_of_108(), Asked(names, days=[day], options=options), count)
    return out


def stratified(replicates: int = 10_000) -> dict[str, Any]:
    """The rank analyses within strata, 108 people: no effect; the drug, in a fifth of the trials; nobody lost."""
    names, scenario = ["joint_rank", "win_ratio"], _of_108()
    asked = Asked(names, days=[196], options={name: {"stratified": True} for name in names})
    return {
        "null": _sizes(scenario, asked, replicates),
        "drug": _powers(scenario, asked, replicates // 5),
        "drug_nobody_lost": _powers(lossless(scenario), asked, replicates // 5),
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
    done = study(scenario, Asked(names, days=[546], arms=("early_start", "delayed_start")), replicates)
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
    asked = Asked(["rate_ratio"], days=[196], options={"rate_ratio": {"robust": False}})
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
        "right_sign": [*_share(rows, rows[:, 0] > 0, draws)],
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
    names, out = ["mi", "ancova", "ancova_nfl", "joint_rank"], {"draws": DRAWS, "replicates": replicates}
    for key, name in (("balanced", "valor_trial"), ("imbalanced", "valor_trial_imbalanced")):
        done = study(sim.load(name), Asked(names, days=[196]), replicates, DRAWS)
        out[key] = {one: _published(done.of(one, 196), 1.2, -3.2, 5.5, DRAWS) for one in names[:3]}
        ranks = done.of("joint_rank", 196)
        out[key]["joint_rank"] = {
            **spread(ranks[:, 0], DRAWS),
            "power": [*share((ranks[:, AT["p"]] <= 0.05) & (ranks[:, 0] > 0), by(ranks, DRAWS))],
            "p_at_or_above_published": [*share(ranks[:, AT["p"]] >= 0.97, by(ranks, DRAWS))],
            "no_better_than_published": [*share((ranks[:, 0] <= 0) | (ranks[:, AT["p"]] >= 0.97), by(ranks, DRAWS))],
        }
        both = (abs(done.of("mi", 196)[:, 0] - 1.2) <= 0.5) & (ranks[:, AT["p"]] >= 0.9)
        out[key]["near_both"] = [*share(both, by(both, DRAWS))]
        out[key]["events"] = done.found.counts[:, 0, :, 1].mean(axis=0).tolist()
    return out


def extension(replicates: int = 2000) -> dict[str, Any]:
    """Weeks 52 and 148: 72 early, 36 delayed, over the ensemble."""
    out: dict[str, Any] = {"draws": DRAWS, "replicates": replicates}
    names, scenario = ["ancova", "ancova_nfl"], sim.load("valor_extension")
    done = study(scenario, Asked(names, days=[364, 1036]), replicates, DRAWS)
    out["week_52"] = {name: _published(done.of(name, 364), 3.5, 0.4, 6.7, DRAWS) for name in names}
    imputed = study(scenario, Asked(["mi"], days=[364]), replicates, DRAWS)
    out["week_52"]["mi"] = _published(imputed.of("mi", 364), 3.5, 0.4, 6.7, DRAWS)
    out["week_148"] = {name: spread(done.of(name, 1036)[:, 0], DRAWS) for name in names}
    for name in names:
        values = done.of(name, 1036)[:, 0]
        out["week_148"][name] |= {"at_or_below_published": below(values, 3.6, DRAWS), "published": 3.6}
    return out


def _median(data: TrialData, arm: int) -> float:
    """Kaplan-Meier median of an arm in years, infinite where it is not reached."""
    mine = data.arm == arm
    order = np.argsort(data.time[mine], kind="stable")
    time, event = data.time[mine][order], data.event[mine][order]
    left = np.cumprod(1 - event / np.arange(len(time), 0, -1))
    reached = np.flatnonzero(left <= 0.5)
    return float(time[reached[0]] / YEAR) if len(reached) else np.inf


def event_free(replicates: int = 4000) -> dict[str, Any]:
    """Gain of median event-free time in 39 and 21 faster progressors: at the last cut, and if all were followed on."""
    counts = {"faster": {"early_start": 39, "delayed_start": 21}}
    longest = 5479  # 15 years
    base = sim.load("valor_extension").replace(
        {
            "trial.counts": counts,
            "trial.accrual_per_month": [{"rate": 2.8}],
            "trial.analysis_days": [longest],
            "follow_up_days": longest,
            "visits.every_days": None,
            "visits.days": [0, longest],
            "attrition": None,
            "output.every_days": longest,
        }
    )
    asked = Asked(["logrank"], days=[longest])
    scenarios = [plan(one, asked).scenario for one in drawn_scenarios(base, DRAWS)]
    planned, space = plan(base, asked), Replicator(compiled(scenarios, 60))
    cut, life = np.full((2, replicates, 2), np.nan)
    for k in range(replicates):
        seen = space.replicate(SEED, k, most(planned.scenario, planned.size))
        data, entered = observed(planned, seen), randomised_on(planned, seen)
        last = LAST_CUT - entered
        known = data._replace(time=np.minimum(data.time, last), event=data.event & (data.time <= last))
        cut[k] = [_median(known, arm) for arm in (1, 0)]
        life[k] = [_median(data, arm) for arm in (1, 0)]
    with np.errstate(invalid="ignore"):
        gain, whole = cut[:, 0] - cut[:, 1], life[:, 0] - life[:, 1]
    return {
        "draws": DRAWS,
        "replicates": replicates,
        "published": 3.4,
        "medians_reached": [[*share(np.isfinite(one))] for one in (cut[:, 0], cut[:, 1], gain)],
        "gain_where_both_reached": _gain(gain),
        "gain_followed_for_15_years": _gain(whole),
        "median_years_early_delayed": np.median(life, axis=0).tolist(),
    }


def _gain(years: np.ndarray) -> dict[str, Any]:
    """Gains of those replicates in which both medians are reached."""
    kept = np.isfinite(years)
    return {**spread(years), "defined": [*share(kept)], "at_or_above_published": [*share(years[kept] >= 3.4)]}


def designs(replicates: int = 2000) -> dict[str, Any]:
    """Enrichment, lead-in and looks against the trials without."""
    out: dict[str, Any] = {"replicates": replicates}
    names = ["ancova", "joint_rank"]
    for key in ("nfl_unenriched", "nfl_enriched", "no_lead_in", "lead_in"):
        scenario = sim.load(key)
        options = {"ancova": {"covariates": ("lead_in_change",)}} if key == "lead_in" else {}
        for label, chosen in ((key, {}), *(((f"{key}_adjusted", options),) if options else ())):
            done = study(scenario, Asked(names, options=chosen), replicates)
            out[label] = _design(scenario, done, names)
    out["group_sequential"] = _looks(replicates, names)
    return out


def _design(scenario: Any, done: Study, names: Sequence[str]) -> dict[str, Any]:
    """What a design comes to, and what 80 % of power asks for: randomised, and screened for them."""
    day = done.work.plan.days[0]
    pool = Replicator(compiled([shortened(done.work.plan.scenario)], 4000)).entering(SEED)
    screened = sim.simulate(scenario, patients=4000, threads=THREADS).groups["patients"]["candidates"].values
    randomised = share(pool["allocated_arm"] >= 0)
    needed = sizes(done.work, done.found, [0.8], [done.work.plan.size], THREADS).needed[:, 0, 0]
    out: dict[str, Any] = {
        "randomised_of_entering": [*randomised],
        "screened_for_one_who_enters": [*mean(screened.astype(float))],
        "duration_days": [*mean(done.found.calendar[:, -1, 0])],
        "events": done.found.counts[:, 0, :, 1].mean(axis=0).tolist(),
    }
    for name, required in zip(names, needed, strict=True):
        rows = done.of(name, day)
        out[name] = {"power": [*share(claims_at_end(done.work.plan, name, rows).benefit)], **spread(rows[:, 0])}
        out[name]["needed"] = required.tolist()
        out[name]["screened_for_needed"] = required[0] * screened.mean() / randomised.value
    return out


def _looks(replicates: int, names: Sequence[str]) -> dict[str, Any]:
    out = {}
    for label, change in (("drug", {}), ("null", NO_EFFECT)):
        scenario = sim.load("group_sequential").replace(change)
        done = study(scenario, Asked(names), replicates)
        rules = sequential.rules(scenario.trial.interim)
        for futility in (True, False):
            chosen = rules if futility else rules._replace(conditional_power=None)
            for a, name in enumerate(names):
                at = sequential.operating(sequential.stopped(chosen, name, done.found, a), 2)
                fixed = share(done.of(name, done.work.plan.days[0])[:, AT["p"]] <= 0.05)
                out[f"{label}_{name}{'' if futility else '_without_futility'}"] = {
                    "fixed": [*fixed],
                    **{key: [*one] for key, one in at._asdict().items() if hasattr(one, "mcse")},
                    "stopped_at": [[*one] for one in at.stopped_at],
                }
    return out


SECTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    one.__name__: one
    for one in (null_108, null_60, stratified, drug_108, survivors, primary, extension, event_free, designs, rates)
}


if __name__ == "__main__":
    section, *rest = sys.argv[1:]
    text = json.dumps(rounded(SECTIONS[section](*(int(word) for word in rest))), indent=1)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{section}.json").write_text(text + "\n", encoding="utf-8")
    print(text)

"""How the result of a fit is put together: estimates, groups, the fitted scenario."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.intervals import Z_95
from simulator.datasets.tidy import as_lines
from simulator.results.arrays import Group, Named, names_of
from simulator.results.kinds import FIT
from simulator.studies.fit.hazard import is_by_truth
from simulator.studies.fit.result import PROMISED, Estimate, Fit
from simulator.studies.fit.surface import kind_of
from simulator.studies.twins.result import strings
from simulator.version import __version__, versions

if TYPE_CHECKING:
    from simulator.datasets import Dataset
    from simulator.language.scenario import Scenario
    from simulator.studies.fit.newton import Step
    from simulator.studies.fit.people import People
    from simulator.studies.fit.posterior import Summary
    from simulator.studies.fit.surface import Setting

Floats = NDArray[np.float64]
INFORMED = 0.9
"""SD left of the prior's above which a value still rests on its prior."""


class FitInput(NamedTuple):
    """What a fit was made from: the data, the scenario, what was asked, and what must be said."""

    data: Dataset
    scenario: Scenario
    arguments: Mapping[str, Any]
    people: People
    seed: int
    notes: Sequence[Any]


def result(told: FitInput, setting: Setting, summary: Summary, steps: Sequence[Step]) -> Fit:
    """Everything of a fit by simulation under its names."""
    rows = _estimates(setting, summary)
    turned = [[one.value(x) for one, x in zip(setting.free, row, strict=True)] for row in summary.draws.tolist()]
    found = told.people
    crossed = np.full(found.n, np.nan)
    for fold in summary.folds:
        crossed[fold.people] = fold.each
    people = {"before": summary.before, "after": summary.after, "effective": summary.effective,
              "cross_validated": crossed}  # fmt: skip
    made = {"objective": [one.objective for one in steps], "promised": [one.promised for one in steps],
            "crowd": [one.size for one in steps]}  # fmt: skip
    path = np.array([[own.value(x) for own, x in zip(setting.free, one.t.tolist(), strict=True)] for one in steps])
    groups: dict[str, Group] = {
        "steps": {**{key: named("step", one, key) for key, one in made.items()},
                  "value": Named(("step", "parameter"), path.reshape(len(steps), len(rows)), _words("value"))},
        "effects": {key: named("effect", [getattr(one, key) for one in summary.effects], key)
                    for key in ("name", "sd", "shrinkage")},
    }  # fmt: skip
    attrs = {
        "error_before": summary.errors[0],
        "error_after": summary.errors[1],
        "error_gain": summary.errors[2],
        "penalty_before": summary.penalties[0],
        "penalty_after": summary.penalties[1],
        "converged": int(summary.promised < PROMISED),
        "likelihood": "simulated",
        "dropout": "by the truth" if is_by_truth(told.scenario) else "",
    }
    covariance = summary.covariance + summary.noise
    scale = summary.sides.mean(axis=1) / Z_95 / np.sqrt(np.diag(covariance))
    covariance = covariance * np.outer(scale, scale)
    return assembled(told, rows, people, Made(groups, attrs, covariance, np.array(turned).reshape(-1, len(rows))))


class Made(NamedTuple):
    """What differs between ways to fit: groups, attributes, covariance, (draw, parameter) ensemble, other settings."""

    groups: Mapping[str, Group]
    attrs: Mapping[str, Any]
    covariance: Floats
    ensemble: Floats
    settings: Mapping[str, Any] | None = None


def assembled(told: FitInput, rows: Sequence[Estimate], people: Mapping[str, Floats], made: Made) -> Fit:
    """A fit from its parts."""
    data, found, scenario = told.data, told.people, told.scenario
    names = names_of(tuple(one.address for one in rows))
    groups: dict[str, Group] = {
        "parameters": {key: named("parameter", [getattr(one, key) for one in rows], key) for key in Estimate._fields},
        "covariance": {"value": Named(("parameter", "other"), made.covariance, _words("covariance"))},
        "people": {"id": named("person", data.participants.id[found.place].tolist(), "id"),
                   **{key: named("person", one, key) for key, one in people.items()}},
        "ensemble": {"address": Named(("parameter",), names, _words("address")),
                     "value": Named(("draw", "parameter"), made.ensemble, _words("value"))},
        "set_aside": {key: named("participant", [one[k] for one in found.set_aside], key)
                      for k, key in enumerate(("id", "reason"))},
        **made.groups,
        **{f"data_{name}": strings(lines) for name, lines in as_lines(data).items()},
    }  # fmt: skip
    fitted = _fitted(scenario, rows, made, data.name, found.n)
    return Fit({**_attrs(told), **made.attrs, "fitted": fitted}, groups)


def _words(name: str) -> dict[str, Any]:
    return {"units": "1", "long_name": name}


def named(dim: str, values: Any, name: str) -> Named:
    """Values as an array; texts where the name says so."""
    is_text = len(values) == 0 or isinstance(values[0], str)
    array = names_of(tuple(map(str, values))) if is_text and name in TEXTS else np.asarray(values, np.float64)
    return Named((dim,), array, _words(name))


TEXTS = ("address", "unit", "scale", "prior", "how", "id", "name", "reason")


def _estimates(setting: Setting, summary: Summary) -> list[Estimate]:
    """Values with intervals, back from the scale of the fit."""
    mc = np.sqrt(np.diag(summary.noise))
    rows = []
    for one, t, (below, above), noise in zip(
        setting.free, summary.t.tolist(), summary.sides.tolist(), mc.tolist(), strict=True
    ):
        se = (below + above) / 2 / Z_95
        how = kind_of(setting.scenario, one.address)
        left = se / one.sd if np.isfinite(one.sd) else float("nan")
        low, high = one.value(t - below), one.value(t + above)
        numbers = (one.start, one.value(t), low, high, se, noise, left)
        rows.append(Estimate(one.address, one.unit, one.scale, one.belief, how, *numbers))
    return rows


def _fitted(scenario: Scenario, rows: Sequence[Estimate], made: Made, data: str, n: int) -> str:
    """The scenario with the fitted values, each with its interval and grade, and with the ensemble."""
    settings: dict[str, Any] = dict(made.settings or {})
    for one in rows:
        if not np.isfinite(one.se) or one.how == "told":
            continue
        settings[one.address] = {
            "value": float(f"{one.estimate:.6g}"),
            **({"unit": one.unit} if one.unit else {}),
            "interval": [float(f"{one.lower:.6g}"), float(f"{one.upper:.6g}")],
            "evidence": "assumed" if one.left > INFORMED else "calibrated",
            "source": f"fit to {n:,} people of {data}",
            "note": "interval: 95 %",
        }
    if len(made.ensemble):
        own = [k for k, one in enumerate(rows) if one.how != "told"]
        vectors = [[float(f"{x:.6g}") for x in row] for row in made.ensemble[:, own].tolist()]
        settings["ensemble"] = {"addresses": [rows[k].address for k in own], "vectors": vectors}
    return scenario.replace(settings).resolved_yaml()


def _attrs(told: FitInput) -> dict[str, Any]:
    data, scenario, found = told.data, told.scenario, told.people
    plain = {key: list(one) if isinstance(one, tuple) else one for key, one in told.arguments.items()}
    return {
        "format": FIT.format,
        "title": f"Fit of {scenario.title} to {data.name}",
        "seed": str(told.seed),
        "scenario": scenario.resolved_yaml(),
        "scenario_name": scenario.name,
        "scenario_sha256": scenario.sha256,
        "engine_version": __version__,
        "versions": json.dumps(versions(), sort_keys=True),
        "arguments": json.dumps(plain, sort_keys=True),
        "warnings": json.dumps([]),
        "citations": json.dumps(scenario.citations(), ensure_ascii=False),
        "data": data.name,
        "endpoint": found.endpoint,
        "events": int(found.event.sum()),
        "values": sum(len(case.readings) for case in found.cases),
        "data_notes": json.dumps(data.notes, ensure_ascii=False),
        "data_files": json.dumps(data.files, ensure_ascii=False),
        "notes": json.dumps([str(note) for note in told.notes], ensure_ascii=False),
    }

"""The same study in every progression model: what a model does not have is neither measured nor asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

import simulator as sim
from simulator.language.document import read
from simulator.language.loading import build, bundled
from simulator.models import DRUG_OUTPUTS, MODELS

RULES = {"alsfrs_r": "alsfrs_r", "progression_rate": "alsfrs_r", "svc_percent": "svc"}


def amounts(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers from low to high that a scenario may hold: 0, or none that float32 would lose."""
    return st.floats(low, high).map(lambda x: round(x, 9))


def known(model: str) -> tuple[str, ...]:
    """What the model and the drug can show."""
    return (*MODELS[model].OUTPUTS, *DRUG_OUTPUTS)


@cache
def _study(model: str, name: str) -> sim.Scenario:
    document = read(bundled()[name].read_bytes(), name)
    data: dict[str, Any] = dict(document.data)
    has = known(model)
    data["progression"] = {"model": model}
    data.pop("safety", None)  # adverse events hold and stop doses whatever the drug does
    data["visits"] = data["visits"] | {"assessments": [key for key in data["visits"]["assessments"] if key in has]}
    data["entry"] = data["entry"] | {"eligible": _without(data["entry"].get("eligible", {}), has)}
    data["entry"] = {key: value for key, value in data["entry"].items() if value != {}}
    if "alsfrs_r" not in has:
        del data["strata"]
    return build(data, document)


def _without(rule: dict[str, Any], has: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if RULES.get(key, key) in has or key not in RULES}


def study(model: str, changes: dict[str, Any] | None = None, name: str = "valor") -> sim.Scenario:
    """A bundled scenario with another progression model."""
    return _study(model, name).replace(changes or {})

"""A study of a trial, run again from what its folder stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.studies.trial.plan import TrialOptions
from simulator.studies.trial.study import Extent, Running, cores, study

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario
    from simulator.studies.trial.blocks import Progress
    from simulator.studies.trial.result import Trial


def again(scenario: Scenario, arguments: dict[str, Any], threads: int | None, progress: Progress | None) -> Trial:
    """The study that these arguments of a result led to; every replicate is done anew."""
    told = arguments
    since = scenario.trial.randomised_on if scenario.trial else 0
    asked = TrialOptions(
        tuple(told["analyses"]),
        told["size"],
        told["arms"],
        [day + since for day in told["days"]],
        {name: {key: _whole(value) for key, value in one.items()} for name, one in told["options"].items()},
        told["outcome"],
        told["endpoint"],
    )
    extent = Extent(
        told["replicates"],
        told["seed"],
        told["truth"],
        told["null"],
        told["power"],
        told["sizes"],
        told["draws"] or None,
    )
    return study(scenario, asked, extent, Running(cores(threads), None, progress))


def _whole(value: Any) -> Any:
    """Names of covariates as they were: a tuple, which JSON does not know."""
    return tuple(value) if isinstance(value, list) else value

"""A scenario in a few lines, for a terminal, a notebook, a report: who, which model, which arms, what for."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from simulator.tables.table import Table, notebook
from simulator.units import how_many

if TYPE_CHECKING:
    from simulator.language.care import Epoch
    from simulator.language.scenario import Scenario


def treated(scenario: Scenario, arm: str) -> str:
    """What an arm is given, and when."""
    return "; ".join(_epoch(epoch) for epoch in scenario.arms[arm]) or "no treatment"


def lines(scenario: Scenario) -> list[tuple[str, str]]:
    """Terms and what is said of them; the question first, where one is stated."""
    asked = scenario.context_of_use.question if scenario.context_of_use else None
    people = ", ".join(f"{100 * share:.0f} % {variant}" for variant, share in _shares(scenario))
    days = scenario.visits.days or []
    when = f"days {', '.join(map(str, days))}" if days else f"every {scenario.visits.every_days} days"
    return [
        *([("question", asked)] if asked else []),
        ("patients", f"{scenario.patients:,} in each arm, followed {scenario.follow_up_days:g} days: {people}"),
        ("progression", scenario.progression.model),
        *((f"arm {arm}", treated(scenario, arm)) for arm in scenario.arms),
        ("visits", f"{when}: {', '.join(scenario.visits.assessments)}"),
    ]


def text(scenario: Scenario) -> str:
    """One line: the title, how many, which arms."""
    arms = ", ".join(scenario.arms)
    return (
        f"<Scenario {scenario.title!r}: {how_many(scenario.patients, 'patients')}, arms {arms}, {scenario.sha256[:12]}>"
    )


def html(scenario: Scenario) -> str:
    """HTML for a notebook; every text from the scenario is escaped, and its whole YAML is folded away below."""
    summary = f"<summary>Everything, with sources (scenario {scenario.sha256[:12]})</summary>"
    more = f"<details>{summary}<pre>{escape(scenario.resolved_yaml())}</pre></details>"
    return notebook(scenario.title, "", Table("", (), lines(scenario)), more=more)


def _epoch(epoch: Epoch) -> str:
    drugs = " and ".join(epoch.treatments)
    end = f" to {_moment(epoch.until or epoch.after, epoch.to_day or 0)}" if epoch.ends else ""
    loaded = ", loaded again" if epoch.reload else ""
    held = "".join(f", held on its days {hold.from_day} to {hold.to_day}" for hold in epoch.holds or ())
    return f"{drugs} from {_moment(epoch.after, epoch.from_day)}{end}{loaded}{held}"


def _moment(events: Sequence[str] | None, day: int) -> str:
    """A day from baseline, or so many days after the first of some events."""
    if events is None:
        return f"day {day}"
    first = " or ".join(events) + (", what is first" if len(events) > 1 else "")
    return f"{day} days after {first}" if day else first


def _shares(scenario: Scenario) -> list[tuple[str, float]]:
    """Variants and their shares among all, the largest first."""
    shares = {name: variant.share.value for name, variant in scenario.disease.variants.items()}
    return sorted(((name, share / sum(shares.values())) for name, share in shares.items()), key=lambda pair: -pair[1])

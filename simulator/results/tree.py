"""The result of a run: groups of named arrays, made into an xarray tree only when somebody asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import absent
from simulator.results import arrays
from simulator.results.arrays import Group, Named
from simulator.results.errors import DrawnError
from simulator.results.kinds import RUN
from simulator.results.record import Arrays, Provenance, Record
from simulator.results.study import GroupedResult
from simulator.results.summary import summary_group
from simulator.results.survival import SurvivalCurve, curve_from_grid, curve_from_times
from simulator.results.variables import variable

if TYPE_CHECKING:
    import pandas


class Result(GroupedResult):
    """What a run found out. `groups` maps a group to its named arrays; `attrs` says what was run.

    In summary mode the only group is `summary`. `plot` draws: `result.plot.survival().save("survival.svg")`.
    """

    kind = RUN

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, in the order of the scenario."""
        return tuple(str(name) for name in self.groups["summary"]["arm"].values)

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return int(self.attrs["n_patients"])

    @property
    def follow_up_days(self) -> float:
        """Length of follow-up."""
        return float(self.attrs["follow_up_days"])

    @property
    def is_full(self) -> bool:
        """Whether patients were kept, not only the summary."""
        return "events" in self.groups

    @property
    def draws(self) -> int:
        """Number of parameter vectors that the run was spread over; 0: an ordinary run, without dimension `draw`."""
        found = self.groups["summary"].get("draw")
        return 0 if found is None else len(found.values)

    def need_one_vector(self, what: str) -> None:
        """Refuse, where `what` needs one parameter vector and this result has many.

        Parameters
        ----------
        what : str
            What is asked for, in words, for the message.

        Raises
        ------
        DrawnError
            The result has draws.
        """
        if self.draws:
            remedy = "run without --draws, or take one out with simulator.one_draw(result, 0)"
            raise DrawnError(f"{what} needs a run without draws, and this one has {self.draws}: {remedy}")

    @property
    def weight(self) -> Any:
        """Weight of each twin of one person; None where patients count alike."""
        found = self.groups["patients"].get("weight") if self.is_full else None
        return None if found is None or np.ptp(found.values) == 0 else found.values

    @property
    def worth(self) -> float:
        """Patients of equal weight that its errors are those of: fewer than there are where twins are weighed."""
        found = json.loads(self.attrs.get("screening", "{}"))
        return float(found.get("effective_sample_size", self.n_patients))

    @property
    def analysis_days(self) -> tuple[float, ...]:
        """Days of analysis that the scenario names."""
        return tuple(json.loads(self.attrs["analysis_days"]))

    @property
    def named_days(self) -> tuple[float, ...]:
        """Days that the scenario asks about."""
        return tuple(json.loads(self.attrs.get("named_days", "[]"))) or self.analysis_days

    @property
    def control(self) -> str:
        """The arm that others are set against."""
        named = str(self.attrs.get("control", ""))
        return named if named in self.arms else self.arms[0]

    @property
    def contrasts(self) -> list[tuple[str, str]]:
        """Pairs of arms, the second the one set against: those of the design; any other arm with the control."""
        known = [(a, b) for a, b in json.loads(self.attrs.get("contrasts", "[]")) if {a, b} <= set(self.arms)]
        named = {arm for pair in known for arm in pair}
        return [*((arm, self.control) for arm in self.arms if arm not in named | {self.control}), *known]

    @property
    def strata(self) -> tuple[str, ...]:
        """Names of the strata, in the order of the scenario; none without strata."""
        return tuple(json.loads(self.attrs["strata"]))

    @property
    def screening(self) -> dict[str, Any]:
        """Candidates tried and, by stratum and rule, rejected."""
        return dict(json.loads(self.attrs["screening"]))

    @property
    def time(self) -> Any:
        """Days since baseline at which truth and summary are given."""
        return self.groups["summary"]["time"].values

    def has(self, name: str) -> bool:
        """Whether the model behind the result has this variable of the truth.

        Parameters
        ----------
        name : str
            A variable, such as `svc`.

        Returns
        -------
        bool
            False where the model lacks it.
        """
        summary = self.groups["summary"]
        return f"{name}_mean" in summary or f"{name}_share" in summary

    def arm_index(self, arm: str) -> int:
        """Position of an arm; KeyError with the names that exist.

        Parameters
        ----------
        arm : str
            Its name.

        Returns
        -------
        int
            From 0.
        """
        if arm not in self.arms:
            raise KeyError(absent("arm", arm, self.arms))
        return self.arms.index(arm)

    def summary_rows(self) -> list[Any]:
        """The summary as tidy rows (see `simulator.results.tidy.Row`).

        Returns
        -------
        list of Row
            In the order of arms, metrics and times.
        """
        from simulator.results.tidy import summary_rows

        return summary_rows(self)

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """The summary: scenario, arm, metric, time, estimate, interval, Monte Carlo standard error, n.

        Returns
        -------
        tuple
            Heads; rows in their order.
        """
        from simulator.results.tidy import Row

        return Row._fields, self.summary_rows()

    def summary(  # type: ignore[override]
        self,
        by: str | None = None,
        *,
        arms: Iterable[str] | None = None,
        days: Iterable[float] | None = None,
    ) -> pandas.DataFrame:
        """The summary as a data frame: scenario, arm, metric, time, estimate, interval, error, n.

        Parameters
        ----------
        by : str, optional
            A summary of each group of patients, in a column `group`: stratum, variant, sex, onset_site …. It has
            means and quantiles of survivors, and, as `alsfrs_r_death0_…`, those of everybody with the dead at 0.
        arms, days : optional
            Only these arms, only these days of output.

        Returns
        -------
        pandas.DataFrame
            A row for each figure.

        Raises
        ------
        ChoiceError
            There is no such group, arm or day.
        """
        import pandas

        from simulator.results.frames import GroupRow, chosen, group_rows
        from simulator.results.tidy import Row

        if by is not None:
            return pandas.DataFrame(group_rows(self, by, arms, days), columns=list(GroupRow._fields))
        rows = self.summary_rows()
        if arms is not None or days is not None:
            rows = chosen(rows, self, arms, days)
        return pandas.DataFrame(rows, columns=list(Row._fields))

    def frame(
        self,
        name: str = "alsfrs_r",
        *,
        death: str = "alive",
        arms: Iterable[str] | None = None,
        days: Iterable[float] | None = None,
    ) -> pandas.DataFrame:
        """An outcome of every patient as a tidy frame: arm, patient, stratum, variant, day, month, alive, the outcome.

        Units and the estimand of death are in `frame.attrs`.

        Parameters
        ----------
        name : str
            A variable of the group `truth`.
        death : {"alive", "as_if_alive", "death_zero"}
            Missing from death on; followed beyond death; 0 from death on (of scores and breathing only).
        arms, days : optional
            Only these arms, only these days of output.

        Returns
        -------
        pandas.DataFrame
            A row for each patient, arm and day.

        Raises
        ------
        ChoiceError
            There is no such outcome, estimand, arm or day, or patients were not kept.
        """
        from simulator.results.frames import frame

        return frame(self, name, death, arms, days)

    def survival(self, arm: str) -> SurvivalCurve:
        """The event-free curve of an arm: exact with patients kept, from the grid of the summary otherwise.

        Parameters
        ----------
        arm : str
            Its name.

        Returns
        -------
        SurvivalCurve
            Steps, numbers at risk, medians and restricted means.
        """
        self.need_one_vector("a survival curve")
        index = self.arm_index(arm)
        if self.is_full:
            events = self.groups["events"]
            time, event = events["event_free_time"].values[index], events["event"].values[index]
            return curve_from_times(time, event > 0, self.follow_up_days, self.weight)
        return curve_from_grid(self.time, self.groups["summary"]["event_free"].values[index], self.worth)

    def __repr__(self) -> str:
        kind = "" if self.is_full else ", summary only"
        kind += f", {self.draws} draws" if self.draws else ""
        return (
            f"<Result {self.title!r}: {self.n_patients} patients, arms {', '.join(self.arms)}, seed {self.seed}{kind}>"
        )

    def to_adam(self) -> dict[str, pandas.DataFrame]:
        """ADaM-like tables ADSL, ADQS and ADTTE of the observed trial (see `simulator.results.adam`).

        Returns
        -------
        dict of str to pandas.DataFrame
            The tables by name.
        """
        from simulator.results.adam import to_adam

        return to_adam(self)

    def _repr_html_(self) -> str:
        from simulator.results.html import html

        return html(self)


def name(record: Record, provenance: Callable[[], Provenance]) -> Result:
    """Give a run its names, units, labels and provenance, each when somebody first asks for it."""
    makers: dict[str, Callable[[], Group]] = {"summary": lambda: summary_group(record)}
    if record.events:
        labels = {
            "variant": record.variants,
            "stratum": record.strata or ("all",),
            "allocated_arm": (*record.arms, ""),  # the code -1 is the last
            "arm": record.arms,
        }
        arms, people = arrays.arm_coordinate(record.arms), arrays.patient_coordinate(record.n_patients)
        time, visit = arrays.time_coordinates(record.time), arrays.visit_coordinates(record.visit_days)
        patients = {"stratum": np.zeros(record.n_patients, np.int8), **record.patients}
        makers |= {
            "patients": lambda: people | _named("patients", patients, labels),
            "truth": lambda: arms | people | time | _named("truth", record.truth, labels),
            "observed": lambda: arms | people | visit | _named("observed", record.observed, labels),
            "events": lambda: arms | people | _named("events", record.events, labels),
            "doses": lambda: _named("doses", record.doses, labels),
        }
    if record.events and (safety := record.safety):
        labels["kind"] = safety.kinds
        makers["adverse_events"] = lambda: _named("adverse_events", safety.events(), labels)
        makers["monitoring"] = lambda: _named("monitoring", safety.monitoring(), labels)
    return Result(lambda: _attributes(record, provenance()), arrays.Lazily(makers))


def _named(group: str, values: Arrays, labels: Mapping[str, tuple[str, ...]]) -> Group:
    return {key: arrays.described(variable(group, key), array, labels) for key, array in values.items()}


def _attributes(record: Record, provenance: Provenance) -> dict[str, Any]:
    return {
        "format": RUN.format,
        "Conventions": "CF-1.11",
        "title": record.title,
        "seed": np.uint64(record.seed),
        "n_patients": np.int64(record.n_patients),
        "follow_up_days": np.float64(record.follow_up_days),
        "output": provenance.output,
        "scenario_name": provenance.name,
        "scenario_sha256": provenance.scenario_sha256,
        "scenario": provenance.scenario,
        "engine_version": provenance.engine_version,
        "versions": json.dumps(provenance.versions, sort_keys=True),
        "citations": json.dumps(list(provenance.citations), ensure_ascii=False),
        "warnings": json.dumps([*record.warnings, *provenance.warnings], ensure_ascii=False),
        "arguments": json.dumps(provenance.arguments, sort_keys=True),
        "analysis_days": json.dumps([float(day) for day in provenance.analysis_days]),
        "named_days": json.dumps([float(day) for day in provenance.named_days]),
        "control": provenance.control,
        "contrasts": json.dumps([list(pair) for pair in provenance.contrasts], ensure_ascii=False),
        "strata": json.dumps(list(record.strata), ensure_ascii=False),
        "screening": json.dumps(record.screening, default=_plain, ensure_ascii=False),
    }


def _plain(value: Any) -> Any:
    """A numpy number or array as JSON knows it."""
    return value.tolist()


__all__ = ["Named", "Result", "name"]

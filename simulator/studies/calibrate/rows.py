"""The rows that are fitted. Validation rows are refused here, and nowhere else can a row enter."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from simulator.analysis.intervals import Z_95
from simulator.catalog.calibration import Calibration
from simulator.catalog.facts import Fact, Point, points
from simulator.catalog.targets import Target, published, targets
from simulator.studies.calibrate.errors import CalibrationError
from simulator.studies.evidence.score import Runs, score

ARMS = ("early_start", "delayed_start")


class Datum(NamedTuple):
    """A summary that is fitted: how it is simulated, what was published, its standard error, the discrepancy's SD."""

    target: Target
    observed: float
    se: float
    slack: float

    @property
    def id(self) -> str:
        """The row, the point of a curve, or the point of a contrast."""
        return self.target.id

    @property
    def sd(self) -> float:
        """Standard error and discrepancy together."""
        return math.hypot(self.se, self.slack)

    @property
    def curve(self) -> str:
        """The curve or contrast it is a point of; its own id otherwise."""
        return self.id.rpartition("/")[0] if self.id.count("/") > 1 else self.id


def chosen(spec: Calibration, recalled: bool = False, extra: Iterable[str] = ()) -> list[str]:
    """Names of rows, curves and contrasts."""
    return [*spec.rows.natural_history, *spec.rows.drug, *(spec.rows.recalled if recalled else ()), *extra]


def data(names: Sequence[str], spec: Calibration, start: Runs, forced: Collection[str] = ()) -> list[Datum]:
    """The summaries to fit.

    Parameters
    ----------
    names : sequence of str
        Facts, curves (`endpoint/stratum/arm`), contrasts of curves (`endpoint/stratum/contrast`).
    spec : Calibration
    start : Runs
        Runs at the centre of the priors, for errors that need a simulated density.
    forced : collection of str
        Names that may be validation rows; the result is then marked, and they are no longer validation.

    Raises
    ------
    CalibrationError
        An unknown name, a validation row, or a pair of arms together with its contrast.
    """
    found: list[Datum] = []
    for name in names:
        found += _expand(name, spec, start, name in forced)
    _refuse_pairs(found)
    return found


def check_role(row: Fact | Point, allow_validation: bool = False) -> None:
    """Refuse what may not be fitted."""
    if row.role == "context" or (row.role == "validation" and not allow_validation):
        remedy = "Leave it out" + (
            ", or add --allow-validation; the result is then marked" * (row.role == "validation")
        )
        raise CalibrationError(f"{row.id} is a {row.role} row and is never fitted. {remedy}")


def _expand(name: str, spec: Calibration, start: Runs, allow: bool) -> list[Datum]:
    if name in targets().targets and name not in points():
        return [_fact(name, spec, start, allow)]
    curve, _, arm = name.rpartition("/")
    mine = {one: _points(f"{curve}/{one}", allow) for one in (ARMS if arm == "contrast" else (arm,))}
    weeks = sorted(set.intersection(*(set(found) for found in mine.values())))
    if not weeks:
        raise CalibrationError(f"there is no row {name!r} to fit. als-sim show facts and show curves list them")
    return [_datum(f"{name}/{week}", [mine[one][week] for one in mine], spec) for week in weeks]


def _points(curve: str, allow: bool) -> dict[int, Point]:
    """The points of a curve by week: those that may be fitted, or, with `allow`, all."""
    mine = [point for point in points().values() if point.curve == curve]
    kept = [point for point in mine if allow or point.role == "calibration"]
    if mine and not kept:
        check_role(mine[0], allow)
    return {point.week: point for point in kept}


def _fact(name: str, spec: Calibration, start: Runs, allow: bool) -> Datum:
    row = published(name)
    check_role(row, allow)
    if targets().targets[name].run not in spec.runs:
        run = targets().targets[name].run
        raise CalibrationError(f"{name} needs the run {run}, which the calibration does not simulate. Leave it out")
    found = score(targets().targets[name], start)
    if found.se is None or found.published is None:
        raise CalibrationError(f"{name} has no standard error and cannot be fitted. Leave it out")
    recalled = isinstance(row, Fact) and not row.read_in_source
    se = found.se * (spec.recalled_error_factor if recalled else 1)
    target = targets().targets[name]
    target = target.model_copy(update={"n": target.n or row.n})  # counts are of the participants published
    return Datum(target, found.published, se, _slack(name, found.published, spec))


def _datum(key: str, arms: Sequence[Point], spec: Calibration) -> Datum:
    """A point, or the contrast of two points."""
    target = targets().targets[arms[0].id].model_copy(update={"id": key, "run": "valor"})
    errors = [_error(point) for point in arms]
    value, se = arms[0].value, errors[0]
    if len(arms) == 2:
        target = target.model_copy(update={"against": arms[1].arm})
        ratio = value / arms[1].value
        if _is_ratio(key):
            value, se = ratio, ratio * math.hypot(errors[0] / value, errors[1] / arms[1].value)
        else:
            value, se = value - arms[1].value, math.hypot(*errors)
    return Datum(target, value, se, _slack(key, value, spec))


def _error(point: Point) -> float:
    """From its own interval; of a ratio without one, from the printed interval of the same curve, on the logarithm."""
    if point.interval and not _is_ratio(point.id):
        return (point.interval[1] - point.interval[0]) / (2 * Z_95)
    same = [point] if point.interval else [p for p in points().values() if p.curve == point.curve and p.interval]
    if not same or same[-1].interval is None:
        raise CalibrationError(f"no point of {point.curve} has an interval, so it cannot be fitted. Leave it out")
    low, high = same[-1].interval
    return point.value * math.log(high / low) / (2 * Z_95)


def _is_ratio(key: str) -> bool:
    return "_ratio/" in key


def _slack(key: str, value: float, spec: Calibration) -> float:
    """The model's discrepancy."""
    if key in spec.discrepancy.rows:
        return spec.discrepancy.rows[key]
    if _is_ratio(key):
        return spec.discrepancy.ratio * value
    if key.startswith("NH-"):
        return spec.discrepancy.survival * value
    return spec.discrepancy.percent if key.startswith("PK-") else spec.discrepancy.points


def _refuse_pairs(found: Sequence[Datum]) -> None:
    """A pair of arms or its contrast, never both."""
    keys = {(t.group, t.week, t.statistic, t.endpoint, t.arm, t.against): t.id for t in (d.target for d in found)}
    for (*where, arm, against), name in keys.items():
        if against and {(*where, arm, ""), (*where, against, "")} <= set(keys):
            raise CalibrationError(
                f"{name} is the contrast of two arms that are fitted too. Leave out one of the three"
            )

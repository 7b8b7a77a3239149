"""What a picture needs of a result, and what to do where it is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import signature

from simulator.catalog.facts import points
from simulator.report.kinds import Kind
from simulator.report.picture import PictureError
from simulator.results import Result

VARIABLES = {
    Kind.trajectories: ("alsfrs_r",),
    Kind.biomarkers: ("nfl_plasma",),
    Kind.benefit: ("alsfrs_r",),
    Kind.patient: ("alsfrs_r", "svc", "nfl_plasma"),
}
"""What a picture shows of the truth; a model may not have it."""


def drawable(result: Result) -> tuple[Kind, ...]:
    """The pictures that a result holds enough for."""
    missing = {Kind.benefit, Kind.patient} if not result.is_full else set()
    missing |= {Kind.benefit} if len(result.arms) < 2 else set()
    missing |= {kind for kind, names in VARIABLES.items() if not all(map(result.has, names))}
    missing |= {Kind.benefit, Kind.patient} if result.weight is not None else set()  # they show twins one by one
    missing |= set() if result.is_full and "weight" in result.groups["patients"] else {Kind.person}
    missing |= {Kind.stages} if not has_stages(result) else set()
    missing |= {Kind.published} if not (result.is_full and has_published(result)) else set()
    return tuple(kind for kind in Kind if kind not in missing)


def need_kind(kind: str, known: Iterable[str], of: str) -> None:
    """Refuse a picture of something else."""
    names = [str(name) for name in known]
    if kind not in names:
        raise PictureError(f"{kind}: not a picture of {of}; there are {', '.join(names)}")


def need_options(kind: str, options: Iterable[str], method: Callable[..., object]) -> None:
    """Refuse an option that the picture has not."""
    known = list(signature(method).parameters)
    if wrong := [name for name in options if name not in known]:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise PictureError(f"{kind}: no option {wrong[0]!r}; {has}")


def need_patients(result: Result, kind: Kind) -> None:
    """Refuse a result that kept a summary only."""
    if not result.is_full:
        raise PictureError(f"{kind}: this result kept sums, not patients; run again with --output full")


def need_variables(result: Result, kind: Kind, names: Iterable[str]) -> None:
    """Refuse a result whose model does not have what the picture shows."""
    if lacking := [name for name in names if not result.has(name)]:
        raise PictureError(f"{kind}: the progression model of this result has no {', '.join(lacking)}")


def need_two_arms(result: Result, kind: Kind) -> None:
    """Refuse a result with nothing to set against."""
    if len(result.arms) < 2:
        raise PictureError(f"{kind}: needs two arms, and there is only {result.arms[0]}; add another to the scenario")


def has_stages(result: Result) -> bool:
    """Whether the summary counted stages."""
    return "kings_stage_share" in result.groups["summary"]


def has_published(result: Result) -> bool:
    """Whether there is a published curve about one of the strata and arms."""
    return any(point.stratum in result.strata and point.arm in result.arms for point in points().values())


def need_stages(result: Result, kind: Kind) -> None:
    """Refuse a result without stages."""
    if not has_stages(result):
        raise PictureError(f"{kind}: this result has no stages; the model has none, or output.stages is false")


def need_published(result: Result, kind: Kind) -> None:
    """Refuse a result without patients, or about whose strata and arms no curve was published."""
    need_patients(result, kind)
    if not has_published(result):
        about = "strata faster and slower, arms early_start and delayed_start"
        raise PictureError(f"{kind}: published curves are about {about}; this result has none of them")


def dosed_arms(result: Result, patient: int | None = None) -> list[str]:
    """Arms in which somebody, or this patient, had a dose; none where doses were not kept."""
    if not result.is_full:
        return []
    doses = result.groups["doses"]
    mine = slice(None) if patient is None else doses["patient"].values == patient
    given = set(doses["arm"].values[mine].tolist())
    return [arm for k, arm in enumerate(result.arms) if k in given]


def size(result: Result) -> str:
    """How many were simulated, for a note."""
    return f"{result.n_patients:,} simulated patients" + (", the same in each arm" if len(result.arms) > 1 else "")

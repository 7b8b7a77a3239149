"""What a picture needs of a result, and what to do where it is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import signature

from simulator.catalog.facts import points
from simulator.errors import absent
from simulator.report.kinds import Kind
from simulator.report.picture import PictureError
from simulator.report.plots.vectors import vectors
from simulator.results import Result
from simulator.units import how_many

VARIABLES = {
    Kind.trajectories: ("alsfrs_r",),
    Kind.biomarkers: ("nfl_plasma",),
    Kind.function: ("alsfrs_r",),
    Kind.benefit: ("alsfrs_r",),
    Kind.waterfall: ("alsfrs_r",),
    Kind.subgroups: ("alsfrs_r",),
    Kind.engagement: ("sod1_csf",),
    Kind.patient: ("alsfrs_r", "svc", "nfl_plasma"),
}
"""What a picture shows of the truth; a model may not have it."""
PATIENTS = (
    *(Kind.benefit, Kind.patient, Kind.function, Kind.incidence, Kind.strata, Kind.subgroups, Kind.adverse),
    *(Kind.milestones, Kind.waterfall, Kind.swimmer, Kind.observed, Kind.flow),
)
"""Pictures that need patients, not sums."""
NOTICED = 0.98
"""Of SOD1 in CSF against baseline: the least that counts as lowered."""
OVER_DRAWS = (Kind.trajectories, Kind.survival, Kind.stages, Kind.biomarkers, Kind.posterior, Kind.occupancy)
BY_VECTOR = (
    *(Kind.function, Kind.strata, Kind.incidence, Kind.adverse, Kind.milestones, Kind.engagement, Kind.benefit),
    *(Kind.subgroups, Kind.published, Kind.waterfall, Kind.observed, Kind.flow, Kind.patient),
)
"""Pictures over draws: of the stacked sums; of each vector's own result."""


def drawable(result: Result, among: Iterable[Kind] = Kind) -> tuple[Kind, ...]:
    """The pictures that a result holds enough for."""
    among = tuple(among)
    missing = set(PATIENTS) if not result.is_full else set()
    missing |= {Kind.benefit, Kind.subgroups} if len(result.arms) < 2 else set()
    missing |= {kind for kind, names in VARIABLES.items() if not all(map(result.has, names))}
    missing |= {*PATIENTS, Kind.function} if result.weight is not None else set()  # they count or show twins one by one
    missing |= {Kind.strata} if not (result.is_full and has_strata(result)) else set()
    missing |= set() if result.is_full and "weight" in result.groups["patients"] else {Kind.person}
    missing |= {Kind.stages} if not has_stages(result) else set()
    missing |= {Kind.adverse} if not has_adverse(result) else set()
    missing |= {Kind.milestones} if not has_milestones(result) else set()
    missing |= {Kind.engagement} if not has_engagement(result) else set()
    missing |= {Kind.posterior} if Kind.posterior in among and not has_posterior(result) else set()
    missing |= {Kind.published} if not (result.is_full and has_published(result)) else set()
    return tuple(kind for kind in among if kind not in missing)


def drawable_over_draws(result: Result, among: Iterable[Kind] = Kind) -> tuple[Kind, ...]:
    """The pictures of a run over draws: those that have bands over its vectors."""
    can = {Kind.stages: has_stages, Kind.posterior: has_posterior}
    among = tuple(among)
    known = (kind for kind in among if kind in OVER_DRAWS and all(map(result.has, VARIABLES.get(kind, ()))))
    found = {kind for kind in known if kind not in can or can[kind](result)}
    found |= set(drawable(vectors(result)[0], (kind for kind in among if kind in BY_VECTOR)))
    return tuple(kind for kind in among if kind in found)


def need_kind(kind: str, known: Iterable[str], of: str) -> None:
    """Refuse a picture of something else."""
    names = [str(name) for name in known]
    if kind not in names:
        raise PictureError(absent("picture", kind, names, where=of))


def need_options(kind: str, options: Iterable[str], method: Callable[..., object]) -> None:
    """Refuse an option that the picture has not."""
    known = list(signature(method).parameters)
    if wrong := [name for name in options if name not in known]:
        raise PictureError(absent("option", wrong[0], known, where=str(kind)))


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


def has_adverse(result: Result) -> bool:
    """Whether there is an adverse event."""
    return result.is_full and len(result.groups.get("adverse_events", {}).get("day", ((), ()))[1]) > 0


def has_milestones(result: Result) -> bool:
    """Whether somebody has onset, or meets a trigger, within follow-up: people enter before onset."""
    if not result.is_full:
        return False
    events = result.groups["events"]
    known = [events[name].values for name in ("trigger_time", "phenoconversion_time", "onset_time") if name in events]
    return any((values > 0).any() for values in known)


def has_engagement(result: Result) -> bool:
    """Whether the target of a drug is lowered in some arm."""
    mean = result.groups["summary"].get("sod1_csf_mean")
    return mean is not None and bool((mean.values < NOTICED).any())


def has_posterior(result: Result) -> bool:
    """Whether the scenario holds a calibrated value."""
    from simulator.report.plots.posterior import held

    return bool(held(result)[1])


def need_adverse(result: Result, kind: Kind) -> None:
    """Refuse a result without adverse events."""
    need_patients(result, kind)
    if not has_adverse(result):
        raise PictureError(f"{kind}: this result has no adverse events; give the scenario a block safety")


def need_milestones(result: Result, kind: Kind) -> None:
    """Refuse a result whose people all enter after onset."""
    need_patients(result, kind)
    if not has_milestones(result):
        raise PictureError(f"{kind}: nobody enters before onset; run a scenario of carriers, as prevention")


def need_engagement(result: Result, kind: Kind) -> None:
    """Refuse a result in which no target is lowered."""
    need_variables(result, kind, VARIABLES[kind])
    if not has_engagement(result):
        raise PictureError(f"{kind}: no arm of this result has a drug that lowers its target")


def has_strata(result: Result) -> bool:
    """Whether there are two strata or more with people, and two arms or more."""
    return len(set(result.groups["patients"]["stratum"].values)) > 1 and len(result.arms) > 1


def has_published(result: Result) -> bool:
    """Whether there is a published curve about one of the strata and arms."""
    return any(point.stratum in result.strata and point.arm in result.arms for point in points().values())


def need_stages(result: Result, kind: Kind) -> None:
    """Refuse a result without stages."""
    if not has_stages(result):
        raise PictureError(f"{kind}: this result has no stages; the model has none, or output.stages is false")


def need_strata(result: Result, kind: Kind) -> None:
    """Refuse a result without patients, strata or a second arm."""
    need_patients(result, kind)
    need_two_arms(result, kind)
    if not has_strata(result):
        raise PictureError(f"{kind}: the people of this result are of one stratum; add strata to the scenario")


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
    return how_many(result.n_patients, "simulated patients") + (
        ", the same in each arm" if len(result.arms) > 1 else ""
    )

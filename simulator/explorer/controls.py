"""The sliders of a scenario: every value that has a prior, a share, a start, a dose, and how many take part.

They are read from the scenario and the catalog. What a slider says in words, its range and its step follow from the
prior, or from the kind of value where it has none; an end that the scenario would refuse is moved inwards.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.errors import SimulatorError
from simulator.language.faults import ScenarioError, printable
from simulator.language.listing import Value
from simulator.language.listing import values as values_of
from simulator.language.template import Template
from simulator.studies.sensitivity.parameters import Place, SensitivityError, parameters_of

if TYPE_CHECKING:
    from simulator.language import Scenario

TAIL = 0.01
"""A slider spans its prior from this probability to one minus it."""
PATIENTS = "patients"
FEWEST, MOST, USUAL = 20, 5000, 1000
"""Patients: limits of their slider, and where it begins."""
STEPS = 200
"""Places of a slider, about."""
TRIES = 6
"""How often an end that is refused is moved halfway to the scenario's own value."""
WHO = "Who takes part"
NAMED = ("Effect", "Start and end", "Dose")
"""Groups of sliders of arms and treatments."""
GROUPS = (*NAMED, WHO, "Staying", "Drug", "Disease", "Measurement")
Range = Callable[[float, float], tuple[float, float]]


class ControlError(SimulatorError):
    """There is no such slider, or it cannot take the value."""

    exit_code = 2


class Control(NamedTuple):
    """One slider. `places` are the addresses it sets; `about` says on what the value and its range rest."""

    name: str
    label: str
    group: str
    unit: str
    value: float
    low: float
    high: float
    step: float
    log: bool
    whole: bool
    about: str
    places: tuple[Place, ...]


class Ends(NamedTuple):
    """The scenario's own value, and the ends of the range."""

    own: float
    low: float
    high: float


class Rule(NamedTuple):
    """A kind of value that gets a slider without a prior: where it stands, what it is called, its range."""

    pattern: re.Pattern[str]
    group: str
    label: str
    range: Range
    whole: bool = False
    log: bool = False


def _rule(pattern: str, group: str, label: str, low_high: Range, **how: bool) -> Rule:
    return Rule(re.compile(pattern), group, label, low_high, **how)


def _around(value: float, end: float) -> tuple[float, float]:
    return (0.0, 2 * value) if value > 0 else (2 * value - 1, 1.0)


def _factor(value: float, end: float) -> tuple[float, float]:
    return value / 4, value * 4


def _share(value: float, end: float) -> tuple[float, float]:
    return 0.0, 1.0


def _often(value: float, end: float) -> tuple[float, float]:
    return 0.0, min(1.0, max(0.5, 2 * value))


ENTRY = r"entry\.(?!eligible)(?P<a>[^.]+)"
RULES = (
    _rule(r"treatments\.(?P<a>[^.]+)\.effect\.(mean|median)$", "Effect", "effect of {a}", lambda v, e: (v - 1, v + 1)),
    _rule(r"treatments\.(?P<a>[^.]+)\.effect\.mean_transit_days$", "Effect", "delay of the effect of {a}", _factor),
    _rule(r"arms\.(?P<a>.+)\.(?P<b>\d+)\.from_day$", "Start and end", "start of {a}", lambda v, e: (0, e), whole=True),
    _rule(r"arms\.(?P<a>.+)\.(?P<b>\d+)\.to_day$", "Start and end", "end of {a}", lambda v, e: (1, e), whole=True),
    _rule(r"treatments\.(?P<a>[^.]+)\.regimen\.dose_mg$", "Dose", "dose of {a}", _around),
    _rule(
        r"treatments\.(?P<a>[^.]+)\.regimen\.every_days$",
        "Dose",
        "interval of {a}",
        lambda v, e: (min(7, v), max(4 * v, 112)),
        whole=True,
    ),
    _rule(r"disease\.men$", WHO, "share of men", _share),
    _rule(rf"{ENTRY}\.(?P<b>\w+)\.(?P<c>mean|median|sd|log_sd|low|high)$", WHO, "{a}, {c}", _around),
    _rule(r"entry\.referral_months$", WHO, "delay of referral", _factor),
    _rule(r"entry\.eligible\.(?P<a>.+)\.(?P<b>min|max)$", WHO, "{a} at entry, {b}", _around),
    _rule(r"attrition\.dropout_per_year\.(?P<a>\d+)\.rate$", "Staying", "dropout, period {a}", _often),
    _rule(r"attrition\.stop_treatment_per_year$", "Staying", "treatment stopped", _often),
    _rule(r"adherence\.missed$", "Staying", "doses missed", _often),
    _rule(r"visits\.missing$", "Measurement", "visits missed", _often),
)
SHARES = re.compile(r"(disease\.variants|strata)\.(.+)\.share$")


class Panel:
    """The sliders of a scenario.

    Parameters
    ----------
    scenario : Scenario
        What the sliders change.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.template = Template(scenario)
        self._values = {one.address: one for one in values_of(scenario)}
        self._rest: dict[str, tuple[str, ...]] = {}

    @cached_property
    def controls(self) -> dict[str, Control]:
        """The sliders by name, in the order of their groups."""
        found: dict[str, Control] = {one.name: one for one in (_size(self.scenario), *self._prior_controls())}
        taken = {place.address for one in found.values() for place in one.places}
        others = (*self._share_controls(taken), *self._ruled_controls(taken))
        found |= {one.name: one for one in others if one is not None}
        fitted = {name: self._within(one) for name, one in found.items()}
        order = sorted(fitted.values(), key=lambda one: GROUPS.index(one.group))
        return {one.name: one for one in order if one.low < one.high}

    def settings(self, moved: Mapping[str, Any]) -> dict[str, Any]:
        """Addresses and values of sliders that were moved.

        Parameters
        ----------
        moved : mapping
            Name of a slider to its value; those at the scenario's own value set nothing.

        Raises
        ------
        ControlError
            There is no such slider, or a value is no number within its range.
        """
        found: dict[str, Any] = {}
        for name, given in moved.items():
            control, value = self.control(name), self._number(name, given)
            if name != PATIENTS and value != control.value:
                found |= {one.address: 1 - value if one.is_rest else value for one in control.places}
        for rest, others in self._rest.items():
            if any(address in found for address in others):
                left = 1 - sum(float(found.get(address, self._values[address].value)) for address in others)
                if left < -1e-9:
                    fact = f"the shares beside {rest} add up to {1 - left:.3g}"
                    raise ControlError(f"{fact}. Lower one of them: together they are at most 1")
                found[rest] = round(max(left, 0.0), 12)
        return found

    def control(self, name: str) -> Control:
        """A slider by its name."""
        if name not in self.controls:
            raise ControlError(f"there is no slider {printable(str(name))[:60]!r} of {self.scenario.source_file}")
        return self.controls[name]

    def patients(self, moved: Mapping[str, Any]) -> int:
        """How many patients are simulated."""
        return int(self._number(PATIENTS, moved.get(PATIENTS, self.control(PATIENTS).value)))

    def changed(self, moved: Mapping[str, Any]) -> Scenario:
        """The scenario with the moved sliders in place."""
        return self.template.replace(self.settings(moved))

    def _number(self, name: str, given: Any) -> float:
        """A value that the slider can take."""
        control = self.control(name)
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given):
            raise ControlError(f"{control.label}: {printable(str(given))[:60]} is no number. Give a finite one")
        if not control.low <= given <= control.high:
            raise ControlError(
                f"{control.label}: {given:g} is outside its range. Choose {control.low:g} to {control.high:g}"
            )
        return round(given) if control.whole else float(given)

    def _prior_controls(self) -> Iterator[Control]:
        """What has a prior, of the scenario or of the calibration."""
        try:
            parameters = parameters_of(self.scenario)
        except SensitivityError:
            return
        many = len(self.scenario.treatments) > 1
        for one in parameters:
            low, high = sorted((one.value(TAIL), one.value(1 - TAIL)))
            label = one.label or _words(one.address)
            if many and one.label and one.address.startswith("treatments."):
                label = f"{label} ({one.address.split('.')[1]})"
            yield _control(
                one.address,
                label,
                _group(one.address),
                Ends(one.own, low, high),
                unit=one.unit,
                about=_joined(f"prior: {one.belief}", self._values.get(one.address)),
                log="lognormal" in one.belief,
                places=one.places,
            )

    def _share_controls(self, taken: set[str]) -> Iterator[Control]:
        """Shares of variants and strata: all but the largest, which takes the rest."""
        for section in ("disease.variants", "strata"):
            found = [one for one in self._values.values() if _section(one.address) == section]
            if len(found) < 2 or any(one.address in taken for one in found):
                continue
            rest = max(found, key=lambda one: float(one.value))
            others = [one for one in found if one is not rest]
            self._rest[rest.address] = tuple(one.address for one in others)
            for one in others:
                ends = Ends(float(one.value), 0.0, _round(float(one.value) + float(rest.value), 1e-6))
                about = f"{_whose(rest.address)} takes the rest"
                yield _control(one.address, f"share of {_whose(one.address)}", WHO, ends, about=_joined(about, one))

    def _ruled_controls(self, taken: set[str]) -> Iterator[Control]:
        """What has no prior and stands in one of the places of `RULES`."""
        for one in self._values.values():
            if one.address in taken or isinstance(one.value, bool) or not isinstance(one.value, (int, float)):
                continue
            rule = next((rule for rule in RULES if rule.pattern.match(one.address)), None)
            if rule is not None:
                low, high = rule.range(float(one.value), float(self.scenario.follow_up_days))
                yield _control(
                    one.address,
                    _label(rule, one.address),
                    rule.group,
                    Ends(float(one.value), low, high),
                    unit=one.unit or "",
                    about=_joined("", one),
                    log=rule.range is _factor,
                    whole=rule.whole,
                )

    def _within(self, control: Control) -> Control:
        """The slider with ends that the scenario takes."""
        if control.name == PATIENTS:
            return control
        own = control.value
        low, high = (self._end(control, end, own) for end in (control.low, control.high))
        return control._replace(low=low, high=high)

    def _end(self, control: Control, end: float, own: float) -> float:
        """The end, or the first place halfway to the scenario's own value that is taken."""
        wide = control._replace(low=min(end, own), high=max(end, own))
        for _ in range(TRIES):
            end = round(end) if control.whole else end
            try:
                self._taken(wide, end)
            except (ScenarioError, ControlError):
                end = (end + own) / 2
            else:
                return _round(end, control.step) if control.step < abs(end - own) / 4 else end
        return own

    def _taken(self, control: Control, value: float) -> None:
        """Make the scenario with the slider at a value."""
        settings: dict[str, Any] = {
            one.address: 1 - value if one.is_rest else int(value) if control.whole else value for one in control.places
        }
        for rest, others in self._rest.items():
            if control.name in others:
                left = 1 - value - sum(float(self._values[one].value) for one in others if one != control.name)
                if left < 0:
                    raise ControlError("more than all")
                settings[rest] = left
        self.template.replace(settings)


def _size(scenario: Scenario) -> Control:
    """How many patients are simulated."""
    own = float(min(scenario.patients, USUAL))
    about = f"simulated in every arm; the scenario's own number is {scenario.patients:,}"
    return Control(PATIENTS, "patients", WHO, "", own, min(FEWEST, own), MOST, 1, True, True, about, ())


def _control(
    name: str,
    label: str,
    group: str,
    ends: Ends,
    *,
    unit: str = "",
    about: str = "",
    log: bool = False,
    whole: bool = False,
    places: tuple[Place, ...] = (),
) -> Control:
    """A slider whose range holds the scenario's own value; its step is a round number."""
    own, low, high = ends
    low, high = min(low, own), max(high, own)
    step = 1.0 if whole else _nice((high - low) / STEPS)
    places = places or (Place(name, False),)
    return Control(name, label, group, unit, own, low, high, step, log and low > 0, whole, about, places)


def _nice(size: float) -> float:
    """The nearest of 1, 2, 5 times a power of ten."""
    if size <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return float(power * min((1, 2, 5, 10), key=lambda k: abs(math.log(k * power / size))))


def _round(value: float, step: float) -> float:
    """A multiple of the step, without the digits that a float leaves behind."""
    return float(f"{round(value / step) * step:.10g}")


def _group(address: str) -> str:
    """The group of a value with a prior, by its address."""
    for rule in RULES:
        if rule.pattern.match(address):
            return rule.group
    first = address.split(".", 1)[0]
    if ".effect." in address:
        return "Effect"
    return {
        "treatments": "Drug",
        "disease": WHO,
        "entry": WHO,
        "strata": WHO,
        "visits": "Measurement",
        "attrition": "Staying",
        "adherence": "Staying",
        "arms": "Start and end",
    }.get(first, "Disease")


def _section(address: str) -> str:
    """`disease.variants` or `strata`, of the share of one of them."""
    match = SHARES.match(address)
    return match[1] if match else ""


def _whose(address: str) -> str:
    """The variant or stratum whose share stands there."""
    match = SHARES.match(address)
    return match[2] if match else address


WORDS = {"alsfrs_r": "ALSFRS-R", "svc_percent": "SVC", "time_since_onset_months": "time since onset", "sd": "SD"}


def _label(rule: Rule, address: str) -> str:
    """What the slider of a rule is called; names of arms and treatments stay as they are written."""
    match = rule.pattern.match(address)
    assert match is not None
    given = match.groupdict()
    if rule.group not in NAMED:
        given = {key: WORDS.get(part, part.replace("_", " ")) for key, part in given.items()}
    later = address.startswith("arms.") and given["b"] != "0"
    if address.startswith("attrition.dropout"):
        given["a"] = str(int(given["a"]) + 1)
    return rule.label.format(**given) + (f", epoch {int(given['b']) + 1}" if later else "")


def _words(address: str) -> str:
    """An address as words, without its section."""
    return address.split(".", 1)[-1].replace("_", " ").replace(".", ", ")


def _joined(first: str, value: Value | None) -> str:
    """On what a value rests: its prior, its evidence, its source."""
    parts = [first, *((value.evidence, value.source) if value is not None else ())]
    return "; ".join(part for part in parts if part)

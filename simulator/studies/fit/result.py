"""The result of a fit: parameters, likelihoods of everybody, shrinkage, an ensemble, the fitted scenario."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import UsageError
from simulator.results.files import Writer, text_writer
from simulator.results.kinds import FIT
from simulator.results.notices import OF_PEOPLE
from simulator.results.study import GroupedResult
from simulator.units import minus

if TYPE_CHECKING:
    from simulator.language.scenario import Scenario

Floats = NDArray[np.float64]
FITTED, ENSEMBLE = "fitted.yaml", "ensemble.csv"
PROMISED = 1.0
"""Gain in log-likelihood that the last step promised above which a fit has not arrived."""
FEW = 10.0
"""Simulated people behind somebody below which the error of that log-likelihood is above 1/√10."""


LARGER = "Take a larger --crowd in a new folder"


class Estimate(NamedTuple):
    """A fitted value, in its own unit.

    `lower`, `upper`: 95 %; `se` is on the `scale` of the fit, Monte Carlo error included, `mc` that error alone;
    `left` is the SD over the prior's, NaN without a prior; `how` another value was taken account of, `told` where the
    scenario has no such value.
    """

    address: str
    unit: str
    scale: str
    prior: str
    how: str
    start: float
    estimate: float
    lower: float
    upper: float
    se: float
    mc: float
    left: float


class Likelihood(NamedTuple):
    """A sum of log-likelihoods, with its Monte Carlo error."""

    value: float
    error: float


class Against(NamedTuple):
    """One fit less another on the same people: log-likelihood and, where both have it, cross-validated.

    `noise` is the Monte Carlo error, `error` that between people: of a sum of paired differences.
    """

    people: int
    log_likelihood: float
    noise: float
    error: float
    cross_validated: float
    cross_error: float


class Fit(GroupedResult):
    """Population parameters fitted to measurements of individuals.

    `groups` maps a group to its named arrays: `parameters`, `covariance`, `people`, `steps`, `effects`, `ensemble`.
    """

    kind = FIT

    @cached_property
    def parameters(self) -> list[Estimate]:
        """The fitted values."""
        group = self.groups["parameters"]
        rows = zip(*(group[name].values.tolist() for name in Estimate._fields), strict=True)
        return [Estimate._make((*map(str, row[:5]), *map(float, row[5:]))) for row in rows]

    @property
    def before(self) -> Likelihood:
        """Log-likelihood at the scenario's own values."""
        return Likelihood(float(self.groups["people"]["before"].values.sum()), float(self.attrs["error_before"]))

    @property
    def log_likelihood(self) -> Likelihood:
        """Log-likelihood at the estimate; the restricted one of a fit by REML."""
        total = float(self.groups["people"]["after"].values.sum()) + float(self.attrs.get("restricted", 0.0))
        return Likelihood(total, float(self.attrs["error_after"]))

    @property
    def gain(self) -> Likelihood:
        """How much the fit gained."""
        value = self.log_likelihood.value - self.before.value
        return Likelihood(value, float(self.attrs["error_gain"]))

    @property
    def cross_validated(self) -> Likelihood | None:
        """Log-likelihood of everybody at the estimate from others; the error is between people."""
        each = self.groups["people"]["cross_validated"].values
        return Likelihood(float(each.sum()), _error(each)) if np.isfinite(each).all() and len(each) else None

    @property
    def cross_gain(self) -> Likelihood | None:
        """The same less the log-likelihood at the scenario's own values."""
        if self.cross_validated is None:
            return None
        each = self.groups["people"]["cross_validated"].values - self.groups["people"]["before"].values
        return Likelihood(float(each.sum()), _error(each))

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 for each fitted value; none are fitted where no step was asked for."""
        fitted = sum(bool(np.isfinite(one.se)) for one in self.parameters)
        return 2 * fitted - 2 * self.log_likelihood.value

    @property
    def converged(self) -> bool:
        """Whether the last step promised less than one unit of log-likelihood; False where none was made."""
        return bool(int(self.attrs["converged"]))

    @property
    def is_simulated(self) -> bool:
        """Whether simulated people are behind the likelihood; that of the model linear is Gaussian and exact."""
        return str(self.attrs.get("likelihood", "simulated")) == "simulated"

    @property
    def notes(self) -> list[str]:
        """What was set aside or assumed."""
        return list(json.loads(self.attrs["notes"]))

    @property
    def ensemble(self) -> Floats:
        """(draw, parameter) vectors, in the parameters' own units."""
        return np.asarray(self.groups["ensemble"]["value"].values, np.float64)

    @property
    def shrinkage(self) -> dict[str, float]:
        """Share of each random effect's variance that people's own data do not show."""
        group = self.groups["effects"]
        return dict(zip(map(str, group["name"].values), map(float, group["shrinkage"].values), strict=True))

    @property
    def fitted_yaml(self) -> str:
        """The scenario with the fitted values and the ensemble; `als-sim run FILE --draws N` takes it."""
        return str(self.attrs["fitted"])

    def fitted(self) -> Scenario:
        """The same as a scenario.

        Returns
        -------
        Scenario
            With the block `ensemble`.
        """
        from simulator.language import parse

        return parse(self.fitted_yaml.encode("utf-8"), f"{self.scenario_name}-fitted")

    def against(self, other: Fit) -> Against:
        """How this fit differs from another one on the same people.

        Parameters
        ----------
        other : Fit
            What it is compared with.

        Returns
        -------
        Against
            Differences of log-likelihoods, this one less the other, with their errors.

        Raises
        ------
        UsageError
            They are of other people, or explain other things.
        """
        mine, theirs = self.groups["people"], other.groups["people"]
        for of, fact in (
            (Fit._people, "not of the same people and data. Fit both to the same files, arms and rule of eligibility"),
            (Fit._explained, "not of the same values and events. Fit both with the same --given and what is measured"),
            (
                Fit._likelihood,
                "by other methods. Compare two by simulation, or two of the model linear by ml",
            ),
        ):
            if of(self) != of(other):
                raise UsageError(f"the two fits are {fact}")
        if self._likelihood() == "reml":
            raise UsageError("restricted likelihoods are not compared: they leave out the line. Fit with --method ml")
        each = mine["after"].values - theirs["after"].values
        crossed = mine["cross_validated"].values - theirs["cross_validated"].values
        noise = float(np.hypot(self.log_likelihood.error, other.log_likelihood.error))
        return Against(len(each), float(each.sum()), noise, _error(each), float(crossed.sum()), _error(crossed))

    def _people(self) -> list[Any]:
        """Who was fitted, and the lines of the data."""
        lines = {key: one for key, one in self.groups.items() if key.startswith("data_")}
        held = {key: {name: array.values.tolist() for name, array in one.items()} for key, one in lines.items()}
        return [self.groups["people"]["id"].values.tolist(), held]

    def _explained(self) -> list[Any]:
        """What the likelihood is of."""
        told = [str(self.attrs.get(key, "")) for key in ("values", "events", "endpoint", "dropout")]
        return [*told, self.arguments["given"]]

    def _likelihood(self) -> str:
        """How it was computed: by simulation, or of the model linear by `reml` or `ml`."""
        return str(self.attrs.get("likelihood", "simulated"))

    def table(self) -> tuple[Sequence[str], Iterable[Iterable[Any]]]:
        """The fitted values, one a row.

        Returns
        -------
        tuple
            Heads; rows in the order of the fit.
        """
        return Estimate._fields, self.parameters

    def files(self) -> list[tuple[str, Writer]]:
        """The files of its folder, apart from the manifest.

        Returns
        -------
        list of (str, callable)
            Name and writer of each.
        """
        own = [(FITTED, text_writer(self.fitted_yaml))]
        if len(self.ensemble):
            own.append((ENSEMBLE, text_writer(self._ensemble_csv())))
        return [*super().files(), *own]

    def _exact_line(self) -> str:
        method = self._likelihood()
        kind = "restricted log-likelihood" if method == "reml" else "log-likelihood"
        return (
            f"{kind} {self.log_likelihood.value:.2f} of the linear mixed model ({method.upper()}); AIC {self.aic:.1f}"
        )

    def _simulated_lines(self, effective: Floats) -> list[str]:
        """Likelihoods, and what they rest on."""
        before, after, gain = self.before, self.log_likelihood, self.gain
        if int(self.arguments["steps"]) == 0:
            told = [f"log-likelihood {before.value:.1f} ± {before.error:.1f} (Monte Carlo error); AIC {self.aic:.1f}"]
            told.append("NOT FITTED: no step was asked for; this is the scenario as it is")
        else:
            told = [
                f"log-likelihood {before.value:.1f} ± {before.error:.1f} of the scenario, {after.value:.1f} ± "
                f"{after.error:.1f} fitted (gain {gain.value:.1f} ± {gain.error:.1f}, Monte Carlo errors); "
                f"AIC {self.aic:.1f}"
            ]
            told += [] if self.converged else [self._advice(after.error, float(effective.min()))]
        if (crossed := self.cross_gain) is not None:
            told.append(
                f"cross-validated gain over the scenario {crossed.value:.1f} ± {crossed.error:.1f} (between people)"
            )
        told.append(
            f"simulated people behind a likelihood: median {np.median(effective):,.0f}, least {effective.min():.1f}"
        )
        coarse = [one.address for one in self.parameters if one.mc**2 > one.se**2 / 2]
        if coarse:
            told.append(
                f"COARSE: more than half of the variance of {', '.join(coarse)} is noise of the crowd. {LARGER}"
            )
        return told

    def _advice(self, noise: float, least: float) -> str:
        """What to do where the last step still promised a gain."""
        fact = "NOT CONVERGED: the last step still promised a gain"
        if noise > PROMISED or least < FEW:
            why = (
                f"{least:.1f} simulated people are the least behind somebody, and the Monte Carlo error is {noise:.1f}"
            )
            return f"{fact}, and {why}. {LARGER}"
        return f"{fact}. Go on in the same folder with more --steps"

    def _ensemble_csv(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([one.address for one in self.parameters])
        writer.writerows([[f"{x:.6g}" for x in row] for row in self.ensemble])
        return text.getvalue()

    def __repr__(self) -> str:
        n = len(self.groups["people"]["id"].values)
        return f"<Fit of {len(self.parameters)} values of {self.scenario_name} to {n:,} people of {self.attrs['data']}>"

    def _repr_html_(self) -> str:
        from html import escape

        heads, rows = self.table()
        shown = [heads.index(name) for name in ("address", "unit", "start", "estimate", "lower", "upper")]
        head = "".join(f"<th>{escape(heads[k])}</th>" for k in shown)
        body = ""
        for row in rows:
            cells = [("–" if np.isnan(x) else f"{x:.3g}") if isinstance(x, float) else str(x) for x in row]
            body += "<tr>" + "".join(f"<td>{escape(cells[k])}</td>" for k in shown) + "</tr>"
        told = "".join(f"<p>{escape(line)}</p>" for line in self.lines())
        return minus(f"<h4>{escape(self.title)}</h4><table><tr>{head}</tr>{body}</table>{told}")

    def lines(self) -> list[str]:
        """What was fitted and how well, in a few lines.

        Returns
        -------
        list of str
            The last one is the notice.
        """
        effective = self.groups["people"]["effective"].values
        first = f"{self.attrs['data']}: {len(effective):,} people, {self.attrs['values']} values"
        told = [
            first + (f", {self.attrs['events']} events ({self.attrs['endpoint']})" if self.attrs["endpoint"] else "")
        ]
        told += self._simulated_lines(effective) if self.is_simulated else [self._exact_line()]
        shrunk = ", ".join(f"{name} {100 * share:.0f} %" for name, share in self.shrinkage.items())
        told.append(f"shrinkage: {shrunk}")
        return [*told, *self.notes, OF_PEOPLE]


def _error(each: Floats) -> float:
    """Error of a sum over people."""
    return float(np.sqrt(len(each)) * each.std(ddof=1)) if len(each) > 1 else float("nan")

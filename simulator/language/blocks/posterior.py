"""Section `trial.posterior`: a trial that decides by posterior probabilities."""

from __future__ import annotations

from pydantic import model_validator

from simulator.language.interim import Part01
from simulator.quantities import Part, fault


class Hopeless(Part):
    """What ends a trial at a look: the posterior `probability` of benefit is below this, or the `predictive` one.

    `predictive`: the probability, given what is known, that benefit will be claimed at the end.
    """

    probability: Part01 | None = None
    predictive: Part01 | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Hopeless:
        if (self.probability is None) == (self.predictive is None):
            both = "futility has two rules" if self.probability is not None else "futility has no rule"
            raise fault(both, "Write either probability or predictive")
        return self


class Posterior(Part):
    """Benefit is claimed where its posterior probability is above `benefit`; at looks where it is above `at_looks`.

    The probability is that of each analysis: by its own prior, or by a flat one. Without `at_looks` no look claims
    benefit, without `futility` none ends the trial for want of it.
    """

    benefit: Part01
    at_looks: Part01 | None = None
    futility: Hopeless | None = None

    @model_validator(mode="after")
    def _apart(self) -> Posterior:
        if self.benefit.value < 0.5:
            raise fault("benefit would be claimed of what is rather harm", "Write 0.5 or more", "benefit")
        claimed = self.benefit if self.at_looks is None else self.at_looks
        hopeless = None if self.futility is None else self.futility.probability
        if self.at_looks is not None and self.at_looks.value < 0.5:
            raise fault("benefit would be claimed of what is rather harm", "Write 0.5 or more", "at_looks")
        if hopeless is not None and hopeless.value >= claimed.value:
            fact = f"a probability of {claimed.value:g} is benefit and below {hopeless.value:g} is none"
            raise fault(fact, "Write a smaller probability for futility", "futility")
        return self

    @property
    def at_looks_only(self) -> bool:
        """Whether it says something that only a look can do."""
        return self.at_looks is not None or self.futility is not None

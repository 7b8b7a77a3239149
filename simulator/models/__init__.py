"""Progression models: a folder each, one line here.

The registry names the specification only: what the scenario's `progression` section may say. The kernels of a model,
in the folder of its name here, are loaded by the program that runs it.
"""

from typing import get_args

from simulator.models.clock.spec import ClockSpec
from simulator.models.linear.spec import LinearSpec
from simulator.models.multistate.spec import MultistateSpec
from simulator.models.regions.spec import RegionsSpec
from simulator.models.specification import Specification

MODELS: dict[str, type[Specification]] = {
    "clock": ClockSpec,
    "regions": RegionsSpec,
    "linear": LinearSpec,
    "multistate": MultistateSpec,
}


def register(model: type[Specification]) -> type[Specification]:
    """Add a progression model from outside the package; scenarios that are loaded from now on may use it.

    Parameters
    ----------
    model : type
        A `Specification` whose field `model` is a `Literal` with its name. The module `compile` beside its own module
        turns it into numbers, and registers its kernels.

    Returns
    -------
    type
        The same class, so that this can be used as a decorator.

    Raises
    ------
    ValueError
        Another model has the name.
    """
    (name,) = get_args(model.model_fields["model"].annotation)
    if MODELS.setdefault(name, model) is not model:
        raise ValueError(f"there is a model {name!r} already. Choose another name")
    return model


DRUG_OUTPUTS = ("sod1_csf", "rate")
"""What the drug adds to the outputs of any model."""

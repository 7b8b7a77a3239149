"""Progression models: a folder each, one line here.

The registry names the specification only: what the scenario's `progression` section may say. The kernels of a model,
in the folder of its name here, are loaded by the program that runs it.
"""

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
DRUG_OUTPUTS = ("sod1_csf", "rate")
"""What the drug adds to the outputs of any model."""

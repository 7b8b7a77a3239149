"""Progression models: a folder each, one line here.

The registry names the specification only (what the scenario's `progression` section may say); the kernels
of a model are loaded by the program that runs it.
"""

from simulator.models.clock.spec import ClockSpec

MODELS = {"clock": ClockSpec}

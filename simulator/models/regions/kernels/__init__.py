"""Regions on the disease clock, in equations that step 128 patients at once. Sections are those of
docs/model_regions.md.

Clock, fluctuation and hazard are those of the clock model and are taken from it.
"""

from simulator.engine import interface
from simulator.models.clock.kernels import people as clock
from simulator.models.clock.kernels import step
from simulator.models.regions.kernels import outputs, people
from simulator.models.regions.kernels.state import PARAMETERS, ROWS, Regions

interface.register(
    Regions,
    draw=people.draw,
    look_back=clock.look_back,
    live_back=people.live_back,
    arrive=people.arrive,
    renew=clock.renew,
    turn=clock.turn,
    mark=step.mark,
    step=step.step,
    peek=step.peek,
    invert=step.invert,
    outputs=outputs.outputs,
    items=outputs.items,
    stages=outputs.stages,
)

__all__ = ["PARAMETERS", "ROWS", "Regions"]

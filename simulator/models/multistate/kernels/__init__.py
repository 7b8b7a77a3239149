"""King's stages on the clock, stepped for 128 patients at once. Sections are those of docs/model_multistate.md."""

from simulator.engine import interface
from simulator.models.clock.kernels import people as clock
from simulator.models.multistate.kernels import outputs, people, step
from simulator.models.multistate.kernels.state import PARAMETERS, ROWS, Multistate

interface.register(
    Multistate,
    draw=people.draw,
    look_back=clock.look_back,
    live_back=clock.live_back,
    arrive=people.arrive,
    renew=clock.renew,
    mark=step.mark,
    step=step.step,
    peek=step.peek,
    invert=step.invert,
    outputs=outputs.outputs,
    items=outputs.items,
    stages=outputs.stages,
)

__all__ = ["PARAMETERS", "ROWS", "Multistate"]

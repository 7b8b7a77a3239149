"""The disease clock, in equations that step 128 patients at once. Sections are those of docs/model.md.

Every function takes the parameter tuple first; the engine's rows are documented in engine/rows.py, the model's in
state.py.
"""

from simulator.engine import interface
from simulator.models.clock.kernels import outputs, people, step
from simulator.models.clock.kernels.state import PARAMETERS, ROWS, Clock

interface.register(
    Clock,
    draw=people.draw,
    look_back=people.look_back,
    live_back=people.live_back,
    arrive=people.arrive,
    renew=people.renew,
    turn=people.turn,
    mark=step.mark,
    step=step.step,
    peek=step.peek,
    invert=step.invert,
    outputs=outputs.outputs,
    items=outputs.items,
    stages=outputs.stages,
)

__all__ = ["PARAMETERS", "ROWS", "Clock"]

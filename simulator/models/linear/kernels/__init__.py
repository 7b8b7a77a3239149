"""The linear model, in equations that step 128 patients at once. Sections are those of docs/model_linear.md."""

from simulator.engine import interface
from simulator.models.linear.kernels import outputs, people, step
from simulator.models.linear.kernels.state import PARAMETERS, ROWS, Linear

interface.register(
    Linear,
    draw=people.draw,
    look_back=people.look_back,
    live_back=people.live_back,
    arrive=people.arrive,
    renew=people.renew,
    mark=step.mark,
    step=step.step,
    peek=step.peek,
    invert=step.invert,
    outputs=outputs.outputs,
    items=outputs.items,
    stages=outputs.stages,
)

__all__ = ["PARAMETERS", "ROWS", "Linear"]

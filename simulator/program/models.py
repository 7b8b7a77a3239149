"""Where each model's section becomes numbers; one line per model."""

from simulator.models.clock import compile as clock

MODELS = {"clock": clock}

"""Sweeps: points of a scenario, simulated on whatever there is, kept one by one, read as one Dataset."""

from simulator.studies.sweep.outcomes import Outcome, Wanted
from simulator.studies.sweep.study import Request, planned, run, sweep
from simulator.studies.sweep.swept import Failure, Sweep, open_sweep

__all__ = ["Failure", "Outcome", "Request", "Sweep", "Wanted", "open_sweep", "planned", "run", "sweep"]

"""Trials: thousands of replicates, what their analyses find, and the truth beside it."""

from simulator.studies.trial.folder import open_trial
from simulator.studies.trial.result import Trial
from simulator.studies.trial.study import trial

__all__ = ["Trial", "open_trial", "trial"]

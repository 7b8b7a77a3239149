"""Analyses of ALS trials: functions of `TrialData` that give an `Estimate` with its estimand."""

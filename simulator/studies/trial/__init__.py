"""Trials: thousands of replicates, what their analyses find, and the truth beside it."""

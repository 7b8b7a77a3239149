"""Sensitivity of an outcome to the values that have a prior, and the value of knowing them."""

"""Straight lines: random slopes of the ALSFRS-R total and of vital capacity, and Gompertz survival."""

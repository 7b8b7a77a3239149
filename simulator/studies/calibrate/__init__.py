"""Calibration: a fit to calibration rows, then an ensemble of parameter vectors."""

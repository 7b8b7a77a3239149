"""Sweeps: points of a scenario, simulated on whatever there is, kept one by one, read as one Dataset."""

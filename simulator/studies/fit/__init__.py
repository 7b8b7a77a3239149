"""Fit of population parameters to measurements of individuals, by the exact likelihood of what was measured."""

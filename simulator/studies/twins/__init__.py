"""Twins of a cohort: the untreated and treated courses of each participant of a data set."""

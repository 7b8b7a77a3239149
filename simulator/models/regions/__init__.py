"""Regions that begin one after another: the disease clock with diagnosis on it and persons who persist."""

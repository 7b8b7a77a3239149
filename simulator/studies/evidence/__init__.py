"""Every published target beside its simulated twin."""

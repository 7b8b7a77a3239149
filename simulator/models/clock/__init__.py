"""The disease clock: one clock per patient drives function, breathing, biomarker and survival."""

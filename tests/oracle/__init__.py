"""A slow, plain-Python implementation of model.md, against which the engine is compared patient by patient.

Written from the page of equations (model.md, sections 1-6 and 8-10) and from docs/random_numbers.md alone, never from
the engine: both can then be wrong only independently. Everything is float64. The differential equations are solved by
a fourth-order Runge-Kutta rule at a quarter of a day, where the engine takes long steps with closed forms.
"""

from .run import simulate

__all__ = ["simulate"]

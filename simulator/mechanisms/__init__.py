"""Mechanisms: what a treatment does. A file or folder each, and one line here.

The registry names the sections of the language. Reading a scenario must not load the engine: what turns a drug given in
doses into the engine's numbers lies in the module `compile` beside its section.
"""

from simulator.mechanisms.antisense.spec import Antisense
from simulator.mechanisms.care import Gastrostomy, Ventilation
from simulator.mechanisms.gene_therapy import GeneTherapy
from simulator.mechanisms.mechanism import ByDay, Course, Dosed, Mechanism, Multipliers, Offered
from simulator.mechanisms.multipliers import HazardMultiplier, RateMultiplier
from simulator.mechanisms.small_molecule import SmallMolecule

_BUNDLED: tuple[type[Mechanism], ...] = (
    Antisense,
    SmallMolecule,
    GeneTherapy,
    RateMultiplier,
    HazardMultiplier,
    Ventilation,
    Gastrostomy,
)
MECHANISMS: dict[str, type[Mechanism]] = {one.name(): one for one in _BUNDLED}


def register(mechanism: type[Mechanism]) -> type[Mechanism]:
    """Add a mechanism from outside the package; scenarios that are loaded from now on may use it.

    Parameters
    ----------
    mechanism : type
        A subclass of `ByDay`, `Dosed` or `Offered` whose field `kind` is a `Literal` with its name.

    Returns
    -------
    type
        The same class, so that this can be used as a decorator.

    Raises
    ------
    ValueError
        Another mechanism has the name.
    """
    if MECHANISMS.setdefault(mechanism.name(), mechanism) is not mechanism:
        raise ValueError(f"there is a mechanism {mechanism.name()!r} already. Choose another name for its kind")
    return mechanism


__all__ = ["MECHANISMS", "ByDay", "Course", "Dosed", "Mechanism", "Multipliers", "Offered", "register"]

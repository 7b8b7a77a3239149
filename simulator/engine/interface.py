"""What the loop asks of a progression model.

The loop calls the functions below; which model answers is decided by the type of its parameter tuple, at compile time
under numba and at run time in plain Python. A model registers its functions once, and the loop never names a model.
"""

from collections.abc import Callable

from simulator.engine.choice import Table, by_type

_ANSWERS: dict[str, Table] = {}


def register(parameters: type, **functions: Callable) -> None:
    """Make a model known: its parameter type and one function for every name of this interface.

    `turn` may be missing where nobody can enter before onset (`PRESYMPTOMATIC` of the specification).
    """
    functions = {"turn": _no_turn} | functions
    if missing := _ANSWERS.keys() ^ functions.keys():
        raise TypeError(
            f"{parameters.__name__}: a model answers exactly {sorted(_ANSWERS)}; differs in {sorted(missing)}"
        )
    for name, function in functions.items():
        _ANSWERS[name][parameters] = function


def _no_turn(model, key, w, s, step):
    pass


def _seam(stub: Callable) -> Callable:
    return by_type(_ANSWERS.setdefault(stub.__name__, {}))(stub)


@_seam
def draw(model, table, key, w, s):
    """Fill the model's traits of a block of candidates from VARIANT, SITE and ENTRY, and FAST where it depends on them.

    `table` : (variant, column) float32, what differs by variant.
    Candidates who enter by disease time or at onset stand at entry afterwards (TIME_SINCE_ONSET may be unknown).
    """


@_seam
def look_back(model, s, i):
    """Put lane i at onset, before its history: nothing lived yet."""


@_seam
def live_back(model, key, w, s, mode, longest):
    """Live four 28-day epochs of history, number GROUP of each lane, towards ENTRY.

    ENTRY is a disease time, months since onset if `mode` is BY_TIME, or since diagnosis if it is AFTER_DIAGNOSIS, where
    the model has a diagnosis of its own. Lanes that arrive get TIME_SINCE_ONSET >= 0;
    so do those that have lived more than `longest` months. A model whose people are diagnosed on its own clock puts 2
    into REFERRAL of those who arrive before it.
    """


@_seam
def arrive(model, s):
    """A block stands at entry: put what it has used up of its thresholds into USED, and settle what age decides.

    DIAGNOSIS holds the day that the delays of the variants give; a model may put its own there.
    """


@_seam
def renew(model, key, w, s, epoch):
    """Begin 28-day epoch number `epoch` of the study: the new volatility of those who entered at or after onset."""


@_seam
def turn(model, key, w, s, step):
    """The week `step` begins, and people entered before onset: their own epochs, counted from ONSET, begin in it.

    SYMPTOMS gets the day of the week before on which disease began in this arm.
    """


@_seam
def mark(model, s, i, fraction, addon, cap):
    """Lane i has its first dose `fraction` of the step after its start; recovery later is at most `cap` of its course.

    Until then only add-ons were at work, which multiply the rate by `addon`.
    """


@_seam
def step(model, s, day, hazard):
    """One step of seven days under multiplier M; hazard times `hazard`. Keep the step in which LEFT is used up."""


@_seam
def peek(model, s, days):
    """Move the state `days` days into the step under multiplier M; events are left alone."""


@_seam
def invert(model, s, i):
    """Day on which lane i used up its threshold, from its TRY rows."""


@_seam
def outputs(model, s, o, years):
    """Fill the disease's output rows of `o` from the state, `years` after baseline; the drug fills its own.

    What the model does not have is NaN.
    """


@_seam
def items(model, s, o):
    """Fill the ITEM rows of `o`, twelve latent items of 0 to 4, for a block whose outputs are filled; or nothing."""


@_seam
def stages(model, s, o, day):
    """Fill the stage rows of `o` for a block at `day` whose outputs are filled; nothing where a model cannot stage."""

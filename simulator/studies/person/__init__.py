"""One person: twins who match what was measured, their courses untreated and treated."""

from simulator.studies.person.choose import PersonError
from simulator.studies.person.study import person

__all__ = ["PersonError", "person"]

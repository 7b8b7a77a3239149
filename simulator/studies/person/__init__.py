"""One person: twins who match what was measured, their courses untreated and treated."""

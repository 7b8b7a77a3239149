"""The terminal: each command parses, calls one function and prints what it gives."""

from __future__ import annotations

import signal
import sys

from simulator.errors import INTERRUPTED


def main() -> None:
    """Entry point of `als-sim`: SIGTERM interrupts like Ctrl-C, and an interruption is quiet while parts load too."""
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        from simulator.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted\n")
        raise SystemExit(INTERRUPTED) from None

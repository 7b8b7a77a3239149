"""The command `als-sim`: parse, call one function, print."""

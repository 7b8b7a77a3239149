"""Tables and how they are written: text of a terminal, HTML, CSV, JSON."""

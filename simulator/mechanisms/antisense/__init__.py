"""Antisense oligonucleotides: what people write (`spec.py`) and how it becomes numbers (`compile.py`)."""

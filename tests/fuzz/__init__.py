"""Random and hostile input, seeded: what is accepted must run, what is damaged must be noticed, kills leave nothing.

`tests/project/test_fuzz.py` runs a bounded part; `python -m tests.fuzz --minutes N` goes on as long as it is told.
"""

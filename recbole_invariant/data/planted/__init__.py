"""Data with known causes: which feature dimensions are stable and where each click comes from.

`law.py` draws a world and `clicks.py` its clicks, `files.py` writes them as atomic files with the
truth beside them, `truth.py` reads the truth back.
"""

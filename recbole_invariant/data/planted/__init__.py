"""Data with known causes: what is stable, what is not, and where each click comes from.

Two kinds. Single clicks on items with features: `law.py` draws a world and `clicks.py` its clicks,
`files.py` writes them as atomic files with the truth beside them. Sequences whose next item has a
stable and a spurious cause: `sequence_law.py` and `sequence_files.py`. `truth.py` reads both
truths back.
"""

"""The stability gate: which feature dimensions act in some situations only.

The way of the data: every user's interactions are dealt into folds (`folds.py`); models that were
trained without a fold say what its users would click (`reference.py`); held-out clicks that vary
more than that flag a dimension (`overdispersion.py`, `flags.py`); in the flagged dimensions the
environments are found (`experts.py`). This is our addition to PaInvRL and has no paper.
"""

"""The command line: `recbole-inv`, or `python run_recbole_inv.py`."""

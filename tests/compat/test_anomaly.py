"""Importing RecBole's SINE leaves the rest of the process alone."""

import subprocess
import sys

SCRIPT = """
import torch
import recbole_invariant
import recbole.model.sequential_recommender.sine
assert not torch.is_anomaly_enabled()
"""


def test_anomaly_detection_is_off_after_the_import_of_sine() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)

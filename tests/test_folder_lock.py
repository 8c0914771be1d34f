import subprocess
import sys

import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.folder_lock import only_here


def test_a_folder_takes_one_comparison_at_a_time(tmp_path):
    refused = pytest.raises(InputError, match="another comparison is running")
    with only_here(tmp_path / "out"), refused, only_here(tmp_path / "out", patience=0):
        pass
    with only_here(tmp_path / "out", patience=0):
        pass


def test_a_run_that_outlives_its_comparison_still_holds_the_folder(tmp_path):
    with only_here(tmp_path) as lock:
        sleeping = [sys.executable, "-S", "-c", "import time; time.sleep(1)"]
        child = subprocess.Popen(sleeping, pass_fds=(lock,))
    with (
        pytest.raises(InputError, match="another comparison"),
        only_here(tmp_path, patience=0),
    ):
        pass
    with only_here(tmp_path, patience=10):
        assert child.wait(0.5) == 0

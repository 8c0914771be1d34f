import numpy as np
import pandas as pd
import pytest

from recbole_invariant.evaluation.significance import compare_gaps


def table(iid: np.ndarray, ood: np.ndarray, ood_name: str) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"split": name, "user_id": [f"u{k}" for k in range(len(values))], "m": values})
        for name, values in (("iid", iid), (ood_name, ood))
    ]
    return pd.concat(parts, ignore_index=True)


def noise(seed: int, n: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.3, 0.2, n)


def test_equal_gaps_are_no_shift() -> None:
    run = table(noise(1), noise(2), "ood_environment")
    control = table(noise(3), noise(4), "ood_random")
    found = compare_gaps(run, control, "ood_environment", "m", seed=0)
    assert found.low < 0 < found.high
    assert not found.is_shift
    assert "no shift" in found.describe()


def test_a_clear_gap_is_a_shift_and_the_interval_holds_the_truth() -> None:
    run = table(noise(1), noise(2) - 0.15, "ood_environment")
    control = table(noise(3), noise(4), "ood_random")
    found = compare_gaps(run, control, "ood_environment", "m", seed=0)
    assert found.is_shift
    assert found.low < 0.15 < found.high
    # four independent means of 400 users with deviation 0.2: +-1.96 * 2 * 0.2 / 20
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.02, rel=0.2)
    assert "is a shift" in found.describe()


def test_users_need_not_be_in_every_split() -> None:
    run = table(noise(1)[:300], noise(2)[:100], "ood_environment")
    control = table(noise(3)[:200], noise(4), "ood_random")
    found = compare_gaps(run, control, "ood_environment", "m", seed=0)
    assert found.gap == pytest.approx(noise(1)[:300].mean() - noise(2)[:100].mean())
    assert found.control_gap == pytest.approx(noise(3)[:200].mean() - noise(4).mean())
    again = compare_gaps(run, control, "ood_environment", "m", seed=0)
    assert again == found


def test_an_absent_split_is_named() -> None:
    run = table(noise(1), noise(2), "ood_environment")
    with pytest.raises(ValueError, match="ood_random"):
        compare_gaps(run, run, "ood_environment", "m", seed=0)

"""What proposes trials: determinism, conditions, failures, and that guesses get better."""

import builtins
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.proposals import Proposer, make_proposer
from recbole_invariant.tuning.space import Space, space_of

SPACE = Space.from_yaml(
    {
        "x": {"uniform": [-1, 1]},
        "rate": {"loguniform": [1e-4, 1e-1]},
        "k": {"logint": [1, 100]},
        "sizes": [[64], [64, 64], [128, 64]],
        "drop": {"uniform": [0, 0.5], "step": 0.1},
        "layers": {"int": [1, 9], "step": 2, "when": {"mode": "deep", "fixed": True}},
        "mode": ["plain", "deep"],
    },
    "s",
)
FIXED = {"fixed": True}
LEARNERS = ("optuna", "hyperopt")


def proposer(searcher: str, space: Space = SPACE, seed: int = 3) -> Proposer:
    return make_proposer(searcher, space, FIXED, [True], seed)


def in_space(space: Space, options: dict[str, Any]) -> bool:
    """Say whether options are active ones of the space, each with a value it can take."""
    for one in space.dimensions:
        if one.name not in options:
            continue
        value = options[one.name]
        if one.size is not None:
            if value not in [one.nth(n) for n in range(one.size)]:
                return False
        elif not one.ends[0] <= value <= one.ends[1]:
            return False
    complete = {one.name: one.smallest() for one in space.dimensions} | options
    return options == space.active(complete, FIXED) and isinstance(options.get("k", 1), int)


def parallel_calls(asked: Proposer) -> list[dict[str, Any]]:
    """Propose three trials ahead of what is learned, every fourth failing."""
    found: list[dict[str, Any]] = []
    for number in range(1, 16):
        options = asked.propose(number)
        assert options is not None
        found.append(options)
        ended = number - 3
        if ended > 0:
            value = -((found[ended - 1]["x"] - 0.3) ** 2)
            asked.learn(ended, None if ended % 4 == 0 else [value])
    return found


@pytest.mark.parametrize("searcher", ["random", *LEARNERS])
def test_the_same_calls_give_the_same_proposals_inside_the_space(searcher: str) -> None:
    found = parallel_calls(proposer(searcher))
    assert all(in_space(SPACE, options) for options in found)
    assert found == parallel_calls(proposer(searcher))
    assert found != parallel_calls(proposer(searcher, seed=4))
    with_layers = [options for options in found if "layers" in options]
    assert 0 < len(with_layers) < len(found)
    assert all(options["mode"] == "deep" for options in with_layers)


@pytest.mark.parametrize("searcher", ["random", *LEARNERS])
def test_an_option_whose_fixed_condition_fails_never_appears(searcher: str) -> None:
    asked = make_proposer(searcher, SPACE, {"fixed": False}, [True], 0)
    found = [asked.propose(number) for number in range(1, 13)]
    assert all(options and "layers" not in options for options in found)
    assert {options["mode"] for options in found if options} == {"plain", "deep"}


def test_random_draws_depend_on_seed_and_number_only() -> None:
    one, other = proposer("random"), proposer("random")
    assert one.propose(7) == [other.propose(n) for n in (1, 7)][1]
    other.learn(1, [1.0])
    assert one.propose(2) == other.propose(2)


@pytest.mark.parametrize("model", ["PaInvRL", "InvRL"])
def test_equal_trials_of_a_method_and_its_backbone_try_equal_backbones(model: str) -> None:
    spaces = [space_of(name, resolve(name).model_class) for name in (model, "UltraGCNF")]
    method, backbone = (make_proposer("random", space, {}, [True], 3) for space in spaces)

    for number in range(1, 9):
        ours, theirs = method.propose(number), backbone.propose(number)
        assert ours is not None
        assert theirs is not None
        shared = {key: value for key, value in theirs.items() if key in ours}
        assert shared == {key: ours[key] for key in shared}
        assert theirs.keys() - shared.keys() <= {"neighbour_weight"}  # InvRL has no such term


def test_random_draws_follow_the_ranges() -> None:
    drawn = [proposer("random").propose(n) or {} for n in range(1, 1001)]
    assert np.mean([one["x"] for one in drawn]) == pytest.approx(0, abs=0.06)
    assert np.mean(np.log10([one["rate"] for one in drawn])) == pytest.approx(-2.5, abs=0.1)
    assert np.mean([one["mode"] == "deep" for one in drawn]) == pytest.approx(0.5, abs=0.05)
    # Whether an option is read does not depend on what it would be.
    assert np.mean([one["layers"] for one in drawn if "layers" in one]) == pytest.approx(5, abs=0.4)


def test_a_grid_ends() -> None:
    space = Space.from_yaml({"a": [1, 2], "b": {"int": [1, 2], "when": {"a": 2}}}, "s")
    asked = proposer("grid", space)
    asked.learn(0, [1.0])
    assert [asked.propose(n) for n in (1, 2, 3, 4, 5)] == [
        {"a": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 2}, None, None,
    ]  # fmt: skip
    with pytest.raises(InputError, match="a grid needs choices"):
        proposer("grid")


def losses_of(searcher: str, seed: int, bigger: bool) -> list[float]:
    """Return the squared distance to the optimum of 30 trials."""
    space = Space.from_yaml({name: {"uniform": [-1, 1]} for name in "abc"}, "s")
    asked = make_proposer(searcher, space, {}, [bigger], seed)
    losses: list[float] = []
    for number in range(1, 31):
        options = asked.propose(number)
        assert options is not None
        losses.append(sum((value - 0.4) ** 2 for value in options.values()))
        asked.learn(number, [-losses[-1] if bigger else losses[-1]])
    return losses


def test_optuna_finds_a_better_optimum_than_chance() -> None:
    def best(searcher: str) -> float:
        return float(np.mean([min(losses_of(searcher, seed, True)) for seed in range(3)]))

    assert best("optuna") < 0.5 * best("random")


@pytest.mark.parametrize(("searcher", "bigger"), [("optuna", False), ("hyperopt", True)])
def test_guesses_get_better_than_draws(searcher: str, bigger: bool) -> None:
    def late(searcher: str) -> float:
        return float(np.mean([losses_of(searcher, seed, bigger)[-10:] for seed in range(3)]))

    assert late(searcher) < 0.6 * late("random")


@pytest.mark.parametrize("searcher", ["random", "grid", *LEARNERS])
@pytest.mark.parametrize("end", [None, [float("nan")], [float("inf")]])
def test_trials_that_fail_break_nothing(searcher: str, end: Sequence[float] | None) -> None:
    space = Space.from_yaml({"n": {"int": [1, 30]}}, "s")
    asked = proposer(searcher, space)
    for number in range(1, 16):
        assert asked.propose(number) is not None
        asked.learn(number, end)
    asked.learn(99, [1.0])
    assert asked.propose(16) is not None


def test_optuna_takes_several_objectives() -> None:
    space = Space.from_yaml({"x": {"uniform": [0, 1]}}, "s")

    def last(seed: int) -> list[float]:
        asked = make_proposer("optuna", space, {}, [True, False], seed)
        found = []
        for number in range(1, 31):
            options = asked.propose(number)
            assert options is not None
            found.append(options["x"])
            # Both objectives want x near 0.7: the front is one point.
            distance = abs(found[-1] - 0.7)
            asked.learn(number, [-distance, distance**2])
        return found[15:]

    near = list(itertools.chain(*(last(seed) for seed in range(3))))
    assert np.median(np.abs(np.array(near) - 0.7)) < 0.15  # 0.25 and more by chance


def test_hyperopt_takes_one_objective() -> None:
    with pytest.raises(InputError, match="hyperopt takes one objective, not 2; optuna"):
        make_proposer("hyperopt", SPACE, {}, [True, True], 0)


def test_an_unknown_searcher_names_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r"'optna': there is no such searcher\. Did you mean 'optuna'"
    ):
        make_proposer("optna", SPACE, {}, [True], 0)


@pytest.mark.parametrize("library", LEARNERS)
def test_a_missing_library_says_how_to_get_it(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == library:
            raise ImportError(f"No module named '{name}'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=rf'pip install "recbole_invariant\[{library}\]"'):
        proposer(library)

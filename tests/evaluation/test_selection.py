from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import recbole_invariant as ri
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.protocol import SealedTests
from recbole_invariant.evaluation.selection import SelectionRule
from tests.host import write_toy


def loaders(ood_valid: Any = None, tests: tuple[str, ...] = ("iid", "ood_x")) -> Any:
    makers = {name: (lambda name=name: f"{name} loader") for name in tests}
    return SimpleNamespace(valid="valid loader", ood_valid=ood_valid, tests=SealedTests(makers))


@pytest.mark.parametrize(
    ("name", "split", "says"),
    [
        ("valid", "valid", "highest valid:ndcg@10"),
        ("ood_valid", "ood_valid", "highest ood_valid:ndcg@10, shifted validation rows"),
        ("oracle", "ood_x", "highest oracle:ndcg@10, the rows of the test ood_x itself"),
    ],
)
def test_a_rule_names_its_rows(name: str, split: str, says: str) -> None:
    rule, data = SelectionRule(name, "ndcg@10", True), loaders("ood_valid loader")
    assert rule.split(data) == split
    assert rule.loader(data) == f"{split} loader"
    assert rule.describe(data).startswith(says)
    assert not data.tests.is_open


def test_rules_without_rows_are_refused() -> None:
    with pytest.raises(InputError, match="no shifted validation rows"):
        SelectionRule("ood_valid", "ndcg@10", True).split(loaders())
    with pytest.raises(InputError, match="no shifted test"):
        SelectionRule("oracle", "ndcg@10", True).split(loaders(tests=("iid",)))


@pytest.mark.parametrize("name", ["valid", "ood_valid", "oracle"])
def test_a_run_says_what_selected_and_never_writes_a_test_as_validation(
    tmp_path: Path, name: str
) -> None:
    write_toy(tmp_path)
    options = {
        "data_path": str(tmp_path),
        "ood": "popularity",
        "popularity_n_max": 4,
        "selection": name,
        "epochs": 3,
        "show_progress": False,
    }
    record = ri.run("BPR", "toy", options, output_dir=tmp_path / "runs").record
    assert record["selection"]["name"] == name
    assert name in record["selection"]["rule"]
    expected = ["valid", *(["ood_valid"] if name == "ood_valid" else []), "iid", "ood_popularity"]
    assert list(record["metrics"]) == expected
    history = (tmp_path / "runs").glob("*/history.jsonl")
    assert next(history).read_text().count('"valid"') == 3

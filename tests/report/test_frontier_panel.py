"""The report's panel of the paths that training took."""

import json
from pathlib import Path
from typing import Any

import pytest

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.report.group import make_groups
from recbole_invariant.report.page import render
from recbole_invariant.report.panels import frontier
from tests.report.fixtures import CLEAR, write_runs

SEEDS = (0, 1, 2)


def record_paths(folder: Path, model: str, n_epochs: int = 8) -> None:
    """Give a model's runs a path that rises and then falls out of distribution."""
    for file in folder.rglob("run.json"):
        record = json.loads(file.read_text())
        if record["model"] != model:
            continue
        end = record["metrics"]
        record["snapshots"] = {
            f"train {epoch}": {
                "stage": "train",
                "epoch": epoch,
                "frontier": True,
                "iid": {"ndcg@10": end["iid"]["ndcg@10"] * (epoch + 1) / n_epochs},
                "ood_popularity": {
                    "ndcg@10": end["ood_popularity"]["ndcg@10"] * (1.3 - abs(epoch - 4) / 10)
                },
            }
            for epoch in range(n_epochs)
        }
        file.write_text(json.dumps(record))


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = write_runs(tmp_path_factory.mktemp("frontier"), CLEAR, SEEDS, n_users=20)
    record_paths(folder, "BPR")
    (made,) = make_groups(find_runs(folder), "BPR")
    return made


def test_the_paths_of_every_seed_the_selected_marks_and_the_margins(group: Any) -> None:
    panel = frontier.make(group)
    (figure,) = panel.content["figures"]
    assert not panel.missing
    assert figure.svg.count("line c1 faint") == len(SEEDS) - 1
    assert figure.svg.count('class="line c1"') == 2, "the first seed's path and its one point"
    for made in CLEAR:
        assert f"<title>{made.label} at" in figure.svg
    assert "Margin over the frontier of BPR at equal IID, mean over seeds: Pop" in figure.caption
    assert "BPR +" not in figure.caption
    assert "BPR -" not in figure.caption


def test_the_page_shows_it_after_the_trade_off(group: Any) -> None:
    html = render([group])
    assert html.index("In against out of distribution</h3>") < html.index(f"{frontier.TITLE}</h3>")
    assert html.index(f"{frontier.TITLE}</h3>") < html.index("Recall as the list grows</h3>")


def test_without_a_frontier_nobody_misses_it(tmp_path: Path) -> None:
    write_runs(tmp_path, CLEAR[:3], (0,), n_users=10)
    html = render(make_groups(find_runs(tmp_path)))
    assert frontier.TITLE not in html
    assert "frontier" not in html.partition("Not shown")[2]

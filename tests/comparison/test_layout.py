"""The table in its layouts, the page and the files."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.layout import (
    as_latex,
    as_markdown,
    as_text,
    escape_latex,
    metric_grid,
    show_p,
)
from recbole_invariant.comparison.page import NEW_PAGE, section, with_section, write_section
from recbole_invariant.comparison.summary import summarise
from recbole_invariant.comparison.write import compared_runs, current_runs, write_comparison
from recbole_invariant.errors import InputError
from tests.comparison.folders import write_run


@pytest.fixture
def comparison(tmp_path):
    for seed in (1, 2, 3):
        for model, shift in (("Pop", 0.0), ("BPR", 0.2)):
            write_run(tmp_path / "runs" / f"{model}-{seed}", model, seed, shift)
    write_run(tmp_path / "runs" / "P", "PaInvRL", 1, 0.3, label="PaInvRL[a_b=5]")
    return summarise(find_runs(tmp_path))


def test_a_line_has_tests_times_and_the_number_of_seeds_where_some_are_missing(comparison):
    header, lines = metric_grid(comparison, "recall@10")

    assert header == ["model", "iid", "ood_popularity", "training,|s", "evaluation,|s"]
    by_label = {line[0]: line[1:] for line in lines}
    iid = comparison.cells.query("model == 'BPR' and test == 'iid' and metric == 'recall@10'")
    half = (iid["high"] - iid["low"]).item() / 2
    assert by_label["BPR"][0] == f"{iid['mean'].item():.4f} ± {half:.4f}"
    assert by_label["PaInvRL[a_b=5]"][0].endswith("(n=1)")
    assert by_label["BPR"][2:] == ["2.0", ""]


def test_two_seeds_show_no_interval(tmp_path):
    for seed in (1, 2):
        write_run(tmp_path / str(seed), "BPR", seed, 0.2)

    found = summarise(find_runs(tmp_path))

    assert not found.cells["low"].isna().any()
    for text in (as_text(found), as_markdown(found), as_latex(found)):
        assert "±" not in text
        assert r"$\pm$" not in text
        assert "2 seeds: an interval is 12.7 standard errors wide" in text


def test_a_bar_in_a_label_stays_in_its_cell(tmp_path):
    write_run(tmp_path / "a", "BPR", 1, label="BPR[loss=a|b]")
    found = summarise(find_runs(tmp_path))

    lines = [line for line in as_markdown(found).splitlines() if line.startswith("|")]

    row = next(line for line in lines if "BPR" in line)
    assert r"BPR[loss=a\|b]" in row
    assert row.replace(r"\|", "").count("|") == lines[0].count("|")
    assert "BPR[loss=a|b]" in as_text(found)


def test_the_control_stands_in_the_column_of_the_shifted_test(tmp_path):
    tests = ("iid", "ood_environment")
    write_run(tmp_path / "a", "BPR", 1, 0.1, tests, protocol="environment", control="control")
    write_run(tmp_path / "a" / "control", "BPR", 1, 0.3, ("iid", "ood_random"))

    header, lines = metric_grid(summarise(find_runs(tmp_path)), "recall@10")

    assert header[:3] == ["model", "iid", "ood_environment"]
    assert lines[1][0] == "BPR (random control)"
    assert float(lines[1][2]) == pytest.approx(float(lines[0][2]) + 0.2, abs=1e-4)


def test_a_random_test_of_the_models_themselves_has_its_column(tmp_path):
    content = {"n_users": 40, "n_positives": 50, "metrics": {"recall@10": 0.1}}
    worst = {"group": "items", "slice": "tail", "metric": "recall@10", "value": 0.1}
    slices = {"ood_random": {"items": {"tail": content}, "worst": {**worst, "n_users": 40}}}
    write_run(tmp_path / "a", "BPR", 1, 0.1, ("iid", "ood_random"), slices=slices)

    found = summarise(find_runs(tmp_path))

    header, lines = metric_grid(found, "recall@10")
    assert header[:4] == ["model", "iid", "ood_random", "worst slice|of ood_random"]
    own = found.cells.query("test == 'ood_random' and metric == 'recall@10'")
    assert lines[0][2] == f"{own['mean'].item():.4f}"
    assert lines[0][3] == "0.1000 (items: tail, 40 users)"
    assert "recall@10 on ood_random, by slice" in as_text(found)


def test_every_layout_says_the_selection_rule_and_both_tables(comparison):
    for text in (as_text(comparison), as_markdown(comparison), as_latex(comparison)):
        assert "highest valid:ndcg@10" in text
        assert "0.05" in text
        assert "against BPR" in text
    assert "| model" in as_markdown(comparison)
    assert str(comparison) == as_text(comparison)


def test_latex_has_rules_escapes_and_as_many_columns_as_it_says(comparison):
    text = as_latex(comparison)

    assert r"PaInvRL[a\_b=5] &" in text
    assert r"$\pm$" in text
    body = text[text.index(r"\begin{tabular}") : text.index(r"\end{tabular}")]
    assert [body.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    columns = body.splitlines()[0].removeprefix(r"\begin{tabular}{").removesuffix("}")
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 4
    assert {row.count(" & ") + 1 for row in rows} == {len(columns)}


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_escaped_latex_has_no_bare_special_sign(text):
    escaped = escape_latex(text)

    for command in ("textbackslash", "textasciitilde", "textasciicircum"):
        escaped = escaped.replace(f"\\{command}{{}}", "")
    for sign in "&%$#_{}":
        escaped = escaped.replace(f"\\{sign}", "")
    escaped = escaped.replace("$<$", "").replace("$>$", "")
    assert not set(escaped) & set("\\&%$#_{}~^<>")


def test_p_values():
    assert [show_p(p) for p in (0.0004, 0.0123, 1.0, float("nan"))] == [
        "<0.001", "0.012", "1.000", "n/a"
    ]  # fmt: skip


def test_the_files_hold_the_tables(comparison, tmp_path):
    write_comparison(comparison, tmp_path, "python run_recbole_inv.py compare --models BPR")

    table = pd.read_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(table, pd.read_csv(tmp_path / "table.csv"), check_dtype=False)
    assert set(table["what"]) == {"test", "validation", "gap"}
    part = (
        table[table["what"] == "test"].drop(columns=["what", "sees_truth"]).reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(part, comparison.cells)
    assert len(pd.read_parquet(tmp_path / "tests.parquet")) == len(comparison.tests)
    content = json.loads((tmp_path / "comparison.json").read_text())
    assert content["baseline"] == "BPR"
    assert content["selection_rules"] == comparison.selection_rules
    assert len(content["runs"]) == 7


def test_the_runs_of_a_comparison_are_found_again_without_older_ones(comparison, tmp_path):
    write_comparison(comparison, tmp_path)
    write_run(tmp_path / "runs" / "older", "LightGCN", 1)

    found = compared_runs(tmp_path)

    assert [(run.label, run.seed) for run in found] == [
        (run.label, run.seed) for run in comparison.runs
    ]
    assert len(find_runs(tmp_path)) == len(found) + 1
    assert {run.folder for run in current_runs(tmp_path)} == {run.folder for run in found}
    (found[0].folder / "run.json").unlink()
    with pytest.raises(InputError, match="is gone; start compare again"):
        compared_runs(tmp_path)


def test_a_page_keeps_what_is_not_the_sections(comparison, tmp_path):
    page = tmp_path / "results.md"
    write_section(page, comparison, "python compare")
    page.write_text(page.read_text() + "\nMine.\n")
    text = page.read_text()

    write_section(page, comparison, "python compare --seeds 2")

    again = page.read_text()
    assert again == text.replace("`python compare`", "`python compare --seeds 2`")
    assert again.startswith(NEW_PAGE + "\n<!-- compare: toy popularity begin -->\n")
    assert again.endswith("Mine.\n")


def test_sections_of_other_protocols_stay(comparison):
    other = "<!-- compare: toy temporal begin -->\nx\n<!-- compare: toy temporal end -->"
    text = with_section("# Results\n", other)

    both = with_section(text, section(comparison, None))

    assert other in both
    assert both.count("begin -->") == 2

import pytest

from recbole_invariant.cli.main import DONE, WRONG_INPUT, main
from tests.report.fixtures import CLEAR, write_runs


def test_report_writes_the_page_and_says_where(tmp_path, capsys):
    write_runs(tmp_path / "runs", CLEAR[1:4], (0, 1), n_users=20)
    out = tmp_path / "page.html"
    words = ["report", "--runs", str(tmp_path / "runs"), "--out", str(out), "--baseline=BPR"]
    assert main(words) == DONE
    assert capsys.readouterr().out.strip() == str(out)
    assert "is clearly better than BPR" in out.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--runs is missing"),
        (["--runs"], "--runs is missing"),
        (["--runs", "x", "--epochs=2"], "not --epochs"),
        (["--runs", "x", "--out"], "--out names no file"),
        (["--runs", "nowhere"], "no such folder"),
    ],
)
def test_a_wrong_command_line_is_explained(words, said, capsys):
    assert main(["report", *words]) == WRONG_INPUT
    assert said in capsys.readouterr().err

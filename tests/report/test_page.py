"""The page as a whole: what it says, what it needs, what it cannot do."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.report.page import write_report
from tests.report.fixtures import CLEAR, EQUAL, SWEEP, write_runs

EVIL = '<script>alert("1")</script>'
TITLES = [
    "Results",
    "In against out of distribution",
    "Recall as the list grows",
    "Slices",
    "What the masks keep",
    "Number of environments",
    "Training",
    "How this was measured",
]
VOID = {"meta", "link", "br", "circle", "line", "path", "rect", "img", "wbr"}


class Outline(HTMLParser):
    """Collects elements, and fails where they are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data.strip()))


def outline(html):
    found = Outline()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return write_runs(tmp_path_factory.mktemp("page"), (*CLEAR, *SWEEP), (0, 1, 2), n_users=40)


@pytest.fixture(scope="module")
def html(runs, tmp_path_factory):
    return write_report(runs, tmp_path_factory.mktemp("out") / "a" / "report.html").read_text()


def test_the_verdict_comes_first_and_then_all_panels_in_order(html):
    found = outline(html)
    headings = [text for tag, text in found.texts if tag == "h3" and text]
    assert headings == TITLES
    assert "Not shown" not in html
    sentence = "Out of distribution, trust PaInvRL: it is clearly better than"
    assert html.index(sentence) < html.index("<h3>Results")


def test_the_page_needs_nothing_from_outside_and_runs_no_script(html):
    found = outline(html)
    assert not re.search(r"(?:https?:)?//[a-z]", html.replace("http://www.w3.org/2000/svg", ""))
    assert not any(tag in ("script", "iframe", "object", "img") for tag, _ in found.seen)
    assert "@import" not in html
    assert "url(" not in html
    policies = [a["content"] for tag, a in found.seen if a.get("http-equiv")]
    assert policies
    assert policies[0].startswith("default-src 'none'")


def test_every_drawing_says_what_it_shows_and_every_header_has_a_scope(html):
    found = outline(html)
    drawings = [a for tag, a in found.seen if tag == "svg" and a.get("aria-hidden") != "true"]
    assert len(drawings) > 10
    assert all(a["role"] == "img" and len(a["aria-label"]) > 10 for a in drawings)
    assert all("scope" in a for tag, a in found.seen if tag == "th")


def test_the_table_has_means_half_widths_marks_and_times(html):
    assert re.search(r'best"[^>]*><span class="mean">0\.1\d{3}</span>', html)
    assert "±" in html
    assert "▲" in html
    assert "12." in html
    assert "highest valid:ndcg@10, validation rows only" in html


def test_equal_models_leave_nobody_to_trust(tmp_path):
    write_runs(tmp_path / "runs", EQUAL, (0, 1, 2, 3), n_users=40)
    html = write_report(tmp_path / "runs", tmp_path / "r.html").read_text()
    assert re.search("no model is clearly better than|its lead is not proven", html)
    assert "trust PaInvRL" not in html


def test_names_cannot_inject_anything(tmp_path):
    models = [replace(made, label=f"{made.label}[x={EVIL}]") for made in CLEAR[1:4]]
    write_runs(tmp_path / "runs", models, (0, 1), dataset=f"data{EVIL}", n_users=20)
    for path in tmp_path.rglob("run.json"):
        record = json.loads(path.read_text())
        record["options"]["embedding_size"]["value"] = EVIL
        record["split"]["claims"] = EVIL
        record["selection"]["rule"] = EVIL
        record["versions"] = {EVIL: EVIL}
        record["stages"][0]["name"] = EVIL
        record["data"] = {EVIL: EVIL}
        path.write_text(json.dumps(record))
    html = write_report(tmp_path / "runs", tmp_path / "r.html").read_text()
    assert "<script" not in html
    assert "&lt;script&gt;alert" in html
    assert not any(tag == "script" for tag, _ in outline(html).seen)


def test_several_settings_get_a_section_each_and_an_overview(tmp_path):
    runs = tmp_path / "runs"
    write_runs(runs / "a", CLEAR[1:3], (0, 1), dataset="one", n_users=20)
    write_runs(runs / "b", CLEAR[1:4], (0,), ("ood_temporal",), "one", "temporal", 20)
    write_runs(runs / "c", CLEAR[2:3], (0,), dataset="two", n_users=20)
    html = write_report(runs, tmp_path / "r.html").read_text()
    found = outline(html)
    links = [a["href"] for tag, a in found.seen if tag == "a"]
    anchors = [a["id"] for tag, a in found.seen if a.get("class") == "part"]
    assert links == [f"#{anchor}" for anchor in anchors]
    assert len(links) == 3
    # the same model looks the same in every section
    colours = re.findall(r'class="mark (c\d)"[^>]*/></svg>UltraGCN[ <]', html)
    assert len(colours) > 3
    assert len(set(colours)) == 1
    assert "One seed only (0)" in html
    assert "There is one model only" in html


def test_what_runs_lack_is_left_out_and_one_line_at_the_end_says_why(tmp_path):
    runs = write_runs(tmp_path / "runs", CLEAR[:2], (0,), shifts=(), n_users=20)
    for path in runs.rglob("run.json"):
        record = json.loads(path.read_text())
        for key in ("slices", "curves", "diagnostics", "modalities", "data", "versions"):
            del record[key]
        for key in ("training_seconds", "evaluation_seconds", "split"):
            del record[key]
        path.write_text(json.dumps(record))
        path.with_name("history.jsonl").unlink()
        path.with_name("per_user.parquet").unlink()
    html = write_report(runs, tmp_path / "r.html").read_text()
    outline(html)
    assert [text for tag, text in outline(html).texts if tag == "h3"] == [TITLES[0], TITLES[-1]]
    (line,) = re.findall(r'<p class="missing">Not shown: (.*)</p>', html)
    assert line.count("; ") == 5
    assert "masks (no model here has an invariant mask" in line
    assert html.index("How this was measured") < html.index("Not shown")
    for why in (
        "there is no out-of-distribution test",
        "no recall curves",
        "no slices",
        "no model here has an invariant mask",
        "several values of n_environments",
        "no run folder has a history.jsonl",
    ):
        assert why in html
    assert "These runs have no out-of-distribution test" in html


def test_no_runs_and_a_folder_as_the_file_are_the_users_mistakes(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no folder in it has a run"):
        write_report(tmp_path / "empty", tmp_path / "r.html")
    write_runs(tmp_path / "runs", CLEAR[:1], (0,), n_users=5)
    with pytest.raises(InputError, match="is a folder"):
        write_report(tmp_path / "runs", tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        write_report(tmp_path / "nowhere", tmp_path / "r.html")

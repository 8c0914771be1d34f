"""The page in a real browser, where there is one."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from recbole_invariant.evaluation.records import write_json
from recbole_invariant.report.page import write_report
from recbole_invariant.tuning.summary import summarise
from tests.report.fixtures import CLEAR, Made, write_runs
from tests.tuning.searches import search, trial

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTH, HEIGHT = 1280, 1600
MEASURE = """<script>
const box = (name) => document.querySelector(name).getBoundingClientRect();
document.documentElement.dataset.measured = JSON.stringify({
  wide: document.documentElement.scrollWidth, verdict: box(".verdict").bottom,
  figure: box(".headline svg").bottom,
});
</script>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no chromium (apt: chromium)")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    shifts = ("ood_popularity_1", "ood_popularity_2", "ood_popularity_3")
    write_runs(folder / "runs", CLEAR[1:], (0, 1, 2), shifts, n_users=20)
    return write_report(folder / "runs", folder / "report.html")


def browse(page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    profile = page.parent / "profile"
    always = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}")
    quiet = ("--hide-scrollbars", "--enable-logging=stderr", f"--window-size={WIDTH},{HEIGHT}")
    command = [str(BROWSER), *always, *quiet, *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def measured(page: Path, width: int) -> dict[str, str]:
    """Ask the browser how wide the page is and where the answer ends."""
    html = page.read_text()
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    copy = page.with_name("measured.html")
    copy.write_text(policy.sub("", html).replace("</body>", f"{MEASURE}</body>"))
    dom = browse(copy, "--dump-dom", f"--window-size={width},900").stdout
    found = re.search(r'data-measured="([^"]+)"', dom)
    assert found
    return dict(re.findall(r"(\w+)&quot;:([\d.]+)", found[1]))


def test_a_screenshot_shows_the_verdict_and_the_figure(page):
    shot = page.with_suffix(".png")
    done = browse(page, f"--screenshot={shot}")
    assert "CONSOLE" not in done.stderr
    pixels = imread(shot)[..., :3]
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    drawn = np.abs(pixels - pixels[2, 2]).max(axis=2) > 0.05
    # everything is within the column, which is 1080 pixels wide, and all of its height is used
    assert not drawn[:, :60].any()
    assert not drawn[:, -60:].any()
    assert all(part.any() for part in np.array_split(drawn, 16))
    tinted = np.abs(pixels - np.array([0xE6, 0xF4, 0xEE]) / 255).max(axis=2) < 0.01
    assert tinted.sum() > 50_000, "the verdict's box is not there"


@pytest.mark.parametrize("width", [1280, 700])
def test_nothing_is_wider_than_the_window_and_the_answer_is_seen_without_scrolling(page, width):
    numbers = measured(page, width)
    assert float(numbers["wide"]) <= width
    assert float(numbers["verdict"]) < float(numbers["figure"]) <= 900


def test_long_names_are_broken_and_do_not_widen_the_page(tmp_path):
    names = ("club", "hsic")
    long = [f"PaInvRL[s_input=attribute,independence={n},independence_weight=0.1]" for n in names]
    models = [CLEAR[1], *(Made(name, 0.2, 0.11 + 0.01 * k) for k, name in enumerate(long))]
    write_runs(tmp_path / "runs", models, (0, 1, 2), ("ood_a", "ood_b"), n_users=20)
    page = write_report(tmp_path / "runs", tmp_path / "report.html")
    assert float(measured(page, 700)["wide"]) <= 700


def test_the_page_runs_no_script_that_gets_into_it(page):
    copy = page.with_name("attacked.html")
    attack = "<script>document.documentElement.dataset.attacked = 'yes'</script></body>"
    copy.write_text(page.read_text().replace("</body>", attack))
    done = browse(copy, "--dump-dom")
    assert "data-attacked" not in done.stdout
    assert "Content Security Policy" in done.stderr


def test_a_searchs_drawings_and_wide_table_do_not_widen_the_page(tmp_path):
    write_runs(tmp_path / "runs", CLEAR[1:3], (0,), n_users=10)
    options = {f"a_long_name_of_an_option_{k}": 10.0**-k for k in range(12)}
    trials = [trial(k, [0.1, 0.1 + 0.01 * k], options=options) for k in range(4)]
    summary = summarise(search(), trials, 60.0)
    write_json(tmp_path / "runs" / "search" / "summary.json", summary)
    page = write_report(tmp_path / "runs", tmp_path / "report.html")
    assert float(measured(page, 700)["wide"]) <= 700

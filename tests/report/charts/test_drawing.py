"""Elements, looks, histograms and intervals."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.report.charts.histogram import bin_shares, histogram
from recbole_invariant.report.charts.intervals import (
    Estimate,
    IntervalColumn,
    IntervalRow,
    interval_plot,
)
from recbole_invariant.report.charts.palette import Style, assign_styles
from recbole_invariant.report.charts.svg import tag

STYLE = Style("c0", "square")


@given(st.text(max_size=20), st.text(max_size=20))
def test_text_and_attributes_come_out_as_they_went_in(content, attribute):
    characters = [c for c in content + attribute if not c.isprintable()]
    if characters:  # XML cannot hold control characters
        return
    element = ElementTree.fromstring(tag("text", content, aria_label=attribute, x=1.2345))
    assert (element.text or "") == content
    assert element.attrib == {"aria-label": attribute, "x": "1.23"}


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="cannot be drawn"):
        tag("circle", cx=float("nan"))


def test_models_up_to_48_look_different_and_keep_their_looks():
    styles = assign_styles([f"model {k}" for k in range(48)] + ["model 3"])
    assert len({(style.colour, style.shape) for style in styles.values()}) == 48
    assert styles["model 3"] == assign_styles(["a", "b", "c", "model 3"])["model 3"]
    assert not styles["model 7"].dashed
    assert styles["model 8"].dashed


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_shares_are_those_of_numpy(values):
    # numpy's edges are rounded; values that lie on one may go either way
    if any(abs(v * 20 - round(v * 20)) < 1e-9 and v not in (0, 1) for v in values):
        return
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    assert bin_shares(values) == pytest.approx(counts / len(values))


def test_a_histogram_has_a_bar_for_each_part_with_values():
    svg = histogram([0.0, 0.01, 0.99, 1.0], STYLE, "masks", 0.5)
    assert svg.count('class="bar c0"') == 2
    assert "mean 0.50" in svg


def test_an_interval_is_drawn_only_where_there_is_one():
    rows = [
        IntervalRow("A", STYLE, {"iid": Estimate(0.2, 0.1, 0.3), "ood": Estimate(0.1)}),
        IntervalRow("B", STYLE, {"iid": Estimate(0.2)}, "clearly worse", "bad"),
    ]
    columns = [IntervalColumn("ood", "OOD", reference=0.12), IntervalColumn("iid", "IID")]
    svg = interval_plot(rows, columns, "models")
    root = ElementTree.fromstring(svg)
    classes = [element.get("class") or "" for element in root.iter()]
    assert sum(name.startswith("interval") for name in classes) == 1
    assert sum(name.startswith("mark") for name in classes) == 2 + 3  # names, and values
    assert classes.count("reference") == 1
    assert "clearly worse" in svg


def test_long_names_are_shortened_to_unlike_ones_and_shown_whole_under_the_mouse():
    names = [f"Irl4Rec[encoder=GRU4Rec,loss_type=CE,variant={name}]" for name in ("plain", "both")]
    rows = [IntervalRow(name, STYLE, {"iid": Estimate(0.2)}) for name in names]
    root = ElementTree.fromstring(interval_plot(rows, [IntervalColumn("iid", "IID")], "models"))
    texts = {element.text for element in root.iter() if element.text}
    assert texts.issuperset(names)  # the titles
    assert texts.issuperset({"Irl4Rec[…,variant=plain]", "Irl4Rec[…,variant=both]"})

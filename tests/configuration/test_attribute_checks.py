"""Options that need an attribute of the items are checked before any data is loaded."""

import re

import pytest
import yaml

from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError

ITEMS = "item_id:token\tcategory:token\ttags:token_seq\tprice:float\tbrand:token\n"
INTER = ["user_id", "item_id", "timestamp"]
BOTH = {"inter": INTER, "item": ["item_id", "category"]}


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.inter").write_text("user_id:token\titem_id:token\ttimestamp:float\n")
    (folder / "shop.item").write_text(ITEMS)
    return tmp_path


def build(data, model="IDEA", **options):
    given = {"data_path": str(data), "load_col": BOTH, **options}
    return build_config(model, "shop", given)


def message(data, model="IDEA", **options):
    with pytest.raises(InputError) as caught:
        build(data, model, **options)
    (said,) = caught.value.problems
    return said


@pytest.mark.parametrize(
    ("options", "begins"),
    [
        (
            {"variant": "attribute_shift"},
            "variant: attribute_shift (environments: attribute_shift) needs the option attribute",
        ),
        (
            {"variant": "cue_adjusted"},
            "variant: cue_adjusted (cue_adjustment: estimated) needs the option attribute",
        ),
        (
            {"environments": "attribute_shift", "cue_adjustment": "known"},
            "environments: attribute_shift and cue_adjustment: known needs the option attribute",
        ),
        (
            {"variant": "cue_adjusted", "cue_adjustment": "known"},
            "cue_adjustment: known needs the option attribute",
        ),
        (
            {"variant": "attribute_shift", "backbone": "BERT4Rec", "attribute": "category"},
            "variant: attribute_shift (environments: attribute_shift): BERT4Rec also learns",
        ),
    ],
)
def test_the_message_names_what_the_user_set(data, options, begins):
    assert message(data, **options).startswith(begins)


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ("categry", "there is no column 'categry'. Did you mean 'category'?"),
        ("item_id", "there is no column 'item_id'."),
        ("tags", "'tags:token_seq' is not one token an item."),
        ("price", "'price:float' is not one token an item."),
        ("brand", "the column 'brand' is not loaded."),
    ],
)
def test_a_column_that_cannot_serve_is_told_those_that_can(data, attribute, says):
    said = message(data, variant="attribute_shift", attribute=attribute)

    assert says in said
    assert "category:token, tags:token_seq, price:float, brand:token" in said
    assert "single tokens, which can serve: category, brand" in said


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        (None, "needs the option attribute, a column of the .item file"),
        ("tag", "there is no column 'tag'. Did you mean 'tags'?"),
        ("price", "'price:float' is not one or several tokens an item."),
        ("tags", "the column 'tags' is not loaded."),
    ],
)
def test_irl4rec_takes_several_tokens_an_item(data, attribute, says):
    said = message(data, "Irl4Rec", variant="attribute", attribute=attribute)

    end = " needs the option attribute, a column" if attribute is None else f": {says}"
    assert said.startswith(f"variant: attribute (s_input: attribute){end}")
    assert says in said
    if attribute is not None:
        assert "(tokens, which can serve: category, tags, brand)" in said
    by_hand = message(data, "Irl4Rec", s_input="attribute", attribute=attribute)
    assert by_hand.startswith(f"s_input: attribute{end}")


def test_irl4rec_loads_what_it_is_told_to(data):
    load = {"inter": INTER, "item": ["item_id", "tags"]}
    for encoder in ("SASRec", "BERT4Rec"):
        given = {"attribute": "tags", "load_col": load, "encoder": encoder}
        assert build(data, "Irl4Rec", variant="attribute", **given)["attribute"] == "tags"


def test_an_attribute_that_irl4rec_does_not_read_is_no_mistake(data):
    for s_input in ("sequence", "none"):
        build(data, "Irl4Rec", s_input=s_input, attribute="brand")


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ("categry", "there is no column 'categry'. Did you mean 'category'?"),
        ("price", "'price:float' is not one or several tokens an item."),
    ],
)
def test_a_wrong_attribute_that_nothing_reads_is_a_mistake_of_the_user_only(
    data, tmp_path, attribute, says
):
    assert message(data, "Irl4Rec", attribute=attribute).startswith(f"config=: attribute: {says}")
    stored = tmp_path / "config.yaml"
    stored.write_text(yaml.safe_dump({"attribute": attribute}))
    given = {"data_path": str(data), "load_col": BOTH}
    files = [str(stored)]
    with pytest.raises(InputError, match=f"{stored}: attribute: "):
        build_config("Irl4Rec", "shop", given, files)
    kept = build_config("Irl4Rec", "shop", given, files, stored=files[0])
    assert kept["attribute"] == attribute


@pytest.mark.parametrize("load", [{"inter": INTER}, BOTH])
def test_the_advice_on_what_to_load_is_right(data, load):
    said = message(data, variant="cue_adjusted", attribute="brand", load_col=load)

    advised = re.search(r"--load_col='(.*)'$", said)
    assert advised is not None
    load = yaml.safe_load(advised[1])
    assert load["inter"] == INTER
    assert load["item"][-1] == "brand"
    assert build(data, variant="cue_adjusted", attribute="brand", load_col=load)["load_col"] == load


def test_columns_that_are_loaded_pass(data):
    for options in ({}, {"load_col": None}):
        build(data, variant="attribute_shift", attribute="category", **options)
    assert build(data)["attribute"] is None


def test_columns_that_are_left_out_and_a_missing_file_are_told(data):
    left_out = {"load_col": None, "unload_col": {"item": ["category"]}}
    said = message(data, variant="attribute_shift", attribute="category", **left_out)
    assert "is not loaded" in said
    assert "unload_col" in said

    (data / "shop" / "shop.item").unlink()
    said = message(data, variant="attribute_shift", attribute="category")
    assert "shop.item, which is not there" in said


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("categry", "there is no column 'categry'. Did you mean 'category'?"),
        ("tags", "'tags:token_seq' is not one token an item."),
        ("brand", "the column 'brand' is not loaded."),
    ],
)
def test_a_column_to_balance_is_asked_for_any_model_of_sequences(data, column, says):
    for model in ("SASRec", "Irl4Rec"):
        said = message(data, model, balanced_attribute=column)
        assert said.startswith(f"balanced_attribute: {says}")
    assert build(data, "SASRec", balanced_attribute="category")["balanced_attribute"] == "category"


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        (
            "Irl4Rec",
            {"encoder": "BERT4Rec"},
            "encoder: BERT4Rec does not learn the target from the items before it (transform: "
            "mask_itemseq changes the rows after they were drawn); take another encoder, such as "
            "GRU4Rec or SASRec,",
        ),
        ("IDEA", {"backbone": "BERT4Rec"}, "backbone: BERT4Rec does not learn"),
        ("BERT4Rec", {}, "BERT4Rec does not learn"),
        ("SASRec", {"transform": "crop_itemseq"}, "config= sets transform: crop_itemseq, which"),
    ],
)
def test_rows_that_are_changed_after_the_draw_are_not_balanced(data, model, options, says):
    said = message(data, model, balanced_attribute="category", **options)

    assert said.startswith(f"balanced_attribute: {says}")

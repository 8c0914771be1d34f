import pytest

from recbole_invariant.data.modality_specs import parse_specs
from recbole_invariant.errors import InputError


@pytest.mark.parametrize(
    ("modalities", "message"),
    [
        (["visual"], "modalities must map names to specs"),
        ({"visual": "npy"}, "'visual' must be a mapping"),
        ({"visual": {}}, "'visual' has no key 'source', one of npy, preload,"),
        ({"visual": {"sorce": "npy"}}, "its keys are sorce. Did you mean 'source' by 'sorce'?"),
        ({"visual": {"source": "nyp"}}, "Did you mean 'npy'"),
        ({"visual": {"source": "npy", "fiel": "x"}}, "unknown key 'fiel'. Did you mean 'file'"),
        ({"title": {"source": "text"}}, "key 'fields' is needed"),
        ({"title": {"source": "text", "fields": "t", "dim": 0}}, "'dim' must be at least 1"),
        ({"title": {"source": "text", "fields": "t", "dim": True}}, "'dim' must be int"),
        ({"title": {"source": "text", "fields": "t", "analyzer": "char"}}, "must be one of word"),
    ],
)
def test_wrong_specs_are_named(modalities: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_specs(modalities)
    assert message in str(caught.value)


def test_all_wrong_specs_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_specs({"a": {"source": "x"}, "b": {"source": "npy", "c": 1, "d": 2}})
    assert len(caught.value.problems) == 3


def test_no_modalities_is_no_error() -> None:
    assert parse_specs(None) == []


def test_specs_keep_their_order_and_defaults() -> None:
    visual, title = parse_specs(
        {"visual": {"source": "npy"}, "title": {"source": "text", "fields": "t", "dim": 8}}
    )
    assert (visual.name, visual.source, visual.options) == (
        "visual",
        "npy",
        {"file": None, "tokens": None},
    )
    assert title.options["dim"] == 8
    assert title.options["analyzer"] == "word"

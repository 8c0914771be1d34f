from pathlib import Path
from typing import Any

import pytest
import torch

from recbole_invariant.errors import InputError, TrainingError
from recbole_invariant.model.sequence_encoder import (
    SUPPORTED,
    SequenceEncoder,
    build_encoder,
    refusal,
)
from recbole_invariant.model.sequence_encoder.substitution import given_vectors
from tests.sequences import SMALL, prepared, write_sequences


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("encoders")
    write_sequences(path)
    return path


def made(folder: Path, backbone: str, **changes: Any) -> tuple[SequenceEncoder, Any]:
    """Return the encoder of an untrained IDEA and a training batch."""
    _, data, model, _ = prepared(
        folder, "IDEA", backbone=backbone, **{**SMALL[backbone], **changes}
    )
    return model.encoder.train(), next(iter(data.loaders.train))


@pytest.mark.parametrize("backbone", SUPPORTED)
def test_ungated_risks_are_the_backbones_own_loss(folder: Path, backbone: str) -> None:
    encoder, batch = made(folder, backbone)
    examples = encoder.examples(batch)
    ungated = encoder.embed(examples.item_sequence).unsqueeze(0)
    logits = encoder.scores(encoder.encode_targets(ungated, examples))[0]
    loss = torch.nn.functional.cross_entropy(logits, examples.targets)
    torch.testing.assert_close(loss, encoder.backbone.calculate_loss(batch), rtol=2e-6, atol=0)


@pytest.mark.parametrize("backbone", SUPPORTED)
def test_histories_are_encoded_as_the_backbone_recommends(folder: Path, backbone: str) -> None:
    encoder, batch = made(folder, backbone)
    encoder.eval()
    sequence, length = batch[encoder.backbone.ITEM_SEQ], batch[encoder.backbone.ITEM_SEQ_LEN]
    encoded = encoder.encode_sequence(encoder.embed(sequence), sequence, length)
    scores = encoder.scores(encoded)
    assert scores.shape == (len(sequence), encoder.n_items)
    torch.testing.assert_close(scores, encoder.backbone.full_sort_predict(batch))


@pytest.mark.parametrize("backbone", SUPPORTED)
def test_versions_in_one_pass_are_versions_one_by_one(folder: Path, backbone: str) -> None:
    encoder, batch = made(folder, backbone)
    encoder.eval()
    examples = encoder.examples(batch)
    embeddings = encoder.embed(examples.item_sequence)
    gates = torch.rand(3, *examples.item_sequence.shape, 1)
    together = encoder.encode_targets(gates * embeddings, examples)
    for gate, encoded in zip(gates, together, strict=True):
        alone = encoder.encode_targets((gate * embeddings).unsqueeze(0), examples)[0]
        torch.testing.assert_close(encoded, alone, rtol=1e-4, atol=1e-6)
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize("backbone", sorted({*SUPPORTED} - {"STAMP", "LightSANs"}))
def test_vectors_of_padding_never_reach_the_result(folder: Path, backbone: str) -> None:
    # STAMP and LightSANs read their padding too: so RecBole has them
    encoder, batch = made(folder, backbone)
    encoder.eval()
    examples = encoder.examples(batch)
    embeddings = encoder.embed(examples.item_sequence)
    is_padding = (examples.item_sequence == 0).unsqueeze(-1)
    assert is_padding.any()
    other = torch.where(is_padding, torch.randn_like(embeddings), embeddings)
    encoded, again = (encoder.encode_targets(e.unsqueeze(0), examples) for e in (embeddings, other))
    torch.testing.assert_close(encoded, again, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backbone", SUPPORTED)
def test_fakes_are_looked_up_and_never_scored(folder: Path, backbone: str) -> None:
    fakes = {"fake_ratio": 0.4, "n_fake_items": 7}
    encoder, _ = made(folder, backbone, **fakes)
    sequence = torch.tensor([[1, encoder.first_fake, encoder.first_fake + 6, 0, 0, 0, 0, 0]])
    vectors = encoder.embed(sequence)[0]
    assert encoder.fake_embedding is not None
    torch.testing.assert_close(vectors[1:3], encoder.fake_embedding.weight[[0, 6]])
    torch.testing.assert_close(vectors[0], encoder.table.weight[1])
    encoded = encoder.encode_sequence(vectors.unsqueeze(0), sequence, torch.tensor([3]))
    assert encoder.scores(encoded).shape == (1, encoder.n_items)
    without, _ = made(folder, backbone)
    for name, value in without.backbone.state_dict().items():
        assert torch.equal(value, encoder.backbone.state_dict()[name]), name


def test_the_tables_look_up_is_given_back_even_after_an_error(folder: Path) -> None:
    encoder, _ = made(folder, "GRU4Rec")
    table = encoder.backbone.item_embedding
    with pytest.raises(TrainingError, match="cannot be gated"):
        encoder.encode_sequence(
            torch.zeros(2, 5, encoder.size), torch.ones(2, 4, dtype=torch.int64), torch.ones(2)
        )
    assert encoder.backbone.item_embedding is table
    with given_vectors(encoder.backbone, torch.zeros(1, 1, encoder.size)):
        assert encoder.backbone.item_embedding.weight is table.weight
    assert encoder.backbone.item_embedding is table


@pytest.mark.parametrize(
    ("name", "said"),
    [("SASrec", "Did you mean 'SASRec'"), ("SRGNN", "not supported"), ("Nothing", "no model")],
)
def test_other_backbones_are_refused_with_the_supported_ones(
    folder: Path, name: str, said: str
) -> None:
    config, data, _, _ = prepared(folder, "IDEA", **SMALL["GRU4Rec"])
    with pytest.raises(InputError, match=said) as error:
        build_encoder(name, config, data.parts.fitted)
    assert f"Supported: {', '.join(SUPPORTED)}." in str(error.value)


@pytest.mark.parametrize("backbone", SUPPORTED)
def test_supported_ones_are_not_refused(backbone: str) -> None:
    assert refusal(backbone, "backbone", "IDEA") is None

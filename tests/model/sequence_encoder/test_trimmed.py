"""Rows grouped by length and cut are encoded as whole rows are, values and gradients."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recbole_invariant.model.sequence_encoder import ENCODERS, Examples, SequenceEncoder
from recbole_invariant.model.sequence_encoder.causal import CausalEncoder
from recbole_invariant.model.sequence_encoder.trimmed import TrimmedEncoder
from tests.sequences import SMALL, prepared, write_sequences

LENGTH = 40
TRIMMED = [name for name, kind in ENCODERS.items() if kind is TrimmedEncoder]


def made(folder: Path, backbone: str) -> tuple[SequenceEncoder, Examples]:
    """Return an untrained encoder and a batch whose lengths are 1 to 40 in any order."""
    write_sequences(folder)
    changes = {**SMALL[backbone], "MAX_ITEM_LIST_LENGTH": LENGTH}
    _, data, model, _ = prepared(folder, "IDEA", backbone=backbone, **changes)
    encoder = model.encoder.train()
    examples = encoder.examples(next(iter(data.loaders.train)))
    generator = torch.Generator().manual_seed(0)
    rows = len(examples.item_sequence)
    length = 1 + torch.randperm(rows, generator=generator) % LENGTH
    items = torch.randint(1, encoder.n_items, (rows, LENGTH), generator=generator)
    sequence = torch.where(torch.arange(LENGTH) < length.unsqueeze(1), items, 0)
    return encoder, replace(examples, item_sequence=sequence, length=length)


def encoded(
    kind: type[CausalEncoder], encoder: SequenceEncoder, examples: Examples, gates: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return what a kind of encoder makes of a batch, and the gradient of a sum of squares."""
    encoder.zero_grad()
    vectors = gates * encoder.embed(examples.item_sequence)
    result = kind.encode_targets(encoder, vectors, examples)  # type: ignore[arg-type]
    result.square().sum().backward()
    return result, [value.grad for value in encoder.parameters() if value.grad is not None]


@pytest.mark.parametrize("backbone", TRIMMED)
def test_trimmed_is_untrimmed(tmp_path: Path, backbone: str) -> None:
    encoder, examples = made(tmp_path, backbone)
    gates = torch.rand(3, *examples.item_sequence.shape, 1)
    trimmed, its_gradients = encoded(TrimmedEncoder, encoder, examples, gates)
    whole, gradients = encoded(CausalEncoder, encoder, examples, gates)
    assert trimmed.shape == (3, len(examples.length), encoder.size)
    torch.testing.assert_close(trimmed, whole, rtol=1e-4, atol=1e-6)
    assert len(gradients) > 3
    # An attention key's bias has a gradient of 0, and here its rounding.
    largest = max(float(gradient.abs().max()) for gradient in gradients)
    for ours, theirs in zip(its_gradients, gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6 * largest)


@pytest.mark.parametrize("backbone", TRIMMED)
def test_less_is_computed(tmp_path: Path, backbone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, examples = made(tmp_path, backbone)
    seen = []
    run = encoder.encode_sequence

    def counted(vectors: Tensor, sequence: Tensor, length: Tensor) -> Tensor:
        seen.append(sequence.numel())
        return run(vectors, sequence, length)

    monkeypatch.setattr(encoder, "encode_sequence", counted)
    encoder.encode_targets(encoder.embed(examples.item_sequence).unsqueeze(0), examples)
    assert len(seen) == 4
    assert sum(seen) < 0.75 * examples.item_sequence.numel()


def test_the_three_that_read_no_padding_are_trimmed() -> None:
    assert TRIMMED == ["GRU4Rec", "SASRec", "NARM"]

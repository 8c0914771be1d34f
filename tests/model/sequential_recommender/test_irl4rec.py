from pathlib import Path
from typing import Any

import pytest
import torch
from recbole.data.interaction import Interaction
from torch.nn.functional import cross_entropy

from recbole_invariant.errors import InputError
from recbole_invariant.model.dependence import spread_rows
from recbole_invariant.model.sequential_recommender.irl4rec import term_weights
from tests.sequences import SMALL, WITH_ITEMS, prepared, trained, write_sequences

QUICK: dict[str, Any] = {"encoder": "GRU4Rec", **SMALL["GRU4Rec"]}
PLAIN: dict[str, Any] = {"variant": "plain"}
KIND: dict[str, Any] = {"s_input": "attribute", "attribute": "kind", **WITH_ITEMS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("irl4rec")
    write_sequences(path)
    return path


def built(folder: Path, **changes: Any) -> tuple[Any, Any, Any]:
    """Return an untrained model, its examples of a batch, and the data."""
    _, data, model, _ = prepared(folder, "Irl4Rec", **{**QUICK, **changes})
    return model, model.encoder.examples(next(iter(data.loaders.train))), data


def histories(data: Any, n: int = 20) -> Interaction:
    """Return rows as they are ranked."""
    rows: Interaction = next(iter(data.loaders.valid))[0][:n]
    return rows


# the same epochs as the model inside


@pytest.mark.parametrize("loss_type", ["BPR", "CE"])
def test_plain_is_the_encoder_bit_for_bit(folder: Path, loss_type: str) -> None:
    own = {**SMALL["STAMP"], "loss_type": loss_type, "epochs": 3}
    plain, host, _ = trained(folder, "STAMP", **own)
    model, trainer, _ = trained(folder, "Irl4Rec", encoder="STAMP", **PLAIN, **own)
    assert model.spurious is None
    inside = model.encoder.backbone.state_dict()
    assert all(torch.equal(value, inside[name]) for name, value in plain.state_dict().items())
    assert trainer.best_valid_score == host.best_valid_score


@pytest.mark.parametrize("loss_type", ["BPR", "CE"])
@pytest.mark.parametrize("encoder", ["GRU4Rec", "SASRec", "NARM", "LightSANs", "BERT4Rec"])
def test_plain_is_every_encoder_to_rounding(folder: Path, encoder: str, loss_type: str) -> None:
    own = {**SMALL[encoder], "loss_type": loss_type, "learning_rate": 0.003}
    plain, host, data = trained(folder, encoder, **own)
    model, trainer, _ = trained(folder, "Irl4Rec", encoder=encoder, **PLAIN, **own)
    rows = histories(data)
    wanted, found = (m.full_sort_predict(rows).view(len(rows), -1) for m in (plain, model))
    assert torch.allclose(found, wanted, atol=2e-3, rtol=1e-2)
    ours, theirs = trainer.history.lines, host.history.lines
    for mine, its in zip(ours, theirs, strict=True):
        assert mine["losses"]["loss"] == pytest.approx(its["losses"]["loss"], rel=1e-4)


def test_the_adjustment_encoder_starts_as_the_plain_model(folder: Path) -> None:
    _, _, plain, _ = prepared(folder, "GRU4Rec", **SMALL["GRU4Rec"])
    for s_input in ("none", "sequence"):
        model, _, data = built(folder, s_input=s_input)
        inside = model.encoder.backbone.state_dict()
        assert all(torch.equal(value, inside[name]) for name, value in plain.state_dict().items())
        rows = histories(data)
        plain.eval(), model.eval()
        found = model.full_sort_predict(rows)
        assert torch.allclose(found, plain.full_sort_predict(rows), atol=1e-6)


# what s sees, and what it may not touch


def test_only_t_recommends(folder: Path) -> None:
    model, _, data = built(folder)
    model.eval()
    rows = histories(data)
    before = model.full_sort_predict(rows)
    with torch.no_grad():
        for parameter in [*model.spurious.parameters(), *model.spurious_head.parameters()]:
            parameter.add_(1.0)
    assert torch.equal(before, model.full_sort_predict(rows))
    assert torch.equal(before, model.encoder.scores(model.represent(rows).adjustment))


@pytest.mark.parametrize("field", ["kind", "tags"])
def test_the_attribute_is_all_that_s_reads_and_scores_by(folder: Path, field: str) -> None:
    model, _, data = built(folder, **{**KIND, "attribute": field})
    model.eval()
    rows = histories(data)
    values = data.dataset.item_feat[field]
    s = model.represent(rows).spurious
    scores = model.spurious.scores(s)
    first = int(rows["item_id_list"][0, 0])
    twins = [
        i
        for i in range(1, model.n_items)
        if i != first and bool((values[i] == values[first]).all())
    ]
    assert twins
    assert torch.allclose(scores[:, first], scores[:, twins[0]])
    changed = Interaction({name: rows[name].clone() for name in rows.columns})
    changed["item_id_list"][0, 0] = twins[0]
    assert torch.allclose(model.represent(changed).spurious, s)
    assert not torch.allclose(model.represent(changed).adjustment, model.represent(rows).adjustment)


def test_both_encoders_read_one_item_embedding_which_is_stored_once(folder: Path) -> None:
    model, examples, _ = built(folder)
    kept = model.state_dict()
    assert len({value.data_ptr() for value in kept.values()}) == len(kept)
    posterior = model.encode_spurious(examples)
    posterior.mean.square().sum().backward()
    assert model.encoder.table.weight.grad is not None
    assert float(model.encoder.table.weight.grad.abs().sum()) > 0
    assert model.spurious.own.weight.grad is None


def test_training_draws_and_recommending_does_not(folder: Path) -> None:
    model, examples, data = built(folder)
    model.eval()
    posterior = model.encode_adjustment(examples)
    assert not torch.equal(posterior.draw(), posterior.draw())
    rows = histories(data)
    assert torch.equal(model.full_sort_predict(rows), model.full_sort_predict(rows))


def test_pairs_are_scored_as_the_catalogue_is(folder: Path) -> None:
    for encoder in ("GRU4Rec", "BERT4Rec"):
        model, _, data = built(folder, encoder=encoder, **SMALL[encoder])
        model.eval()
        rows = histories(data)
        scores = model.full_sort_predict(rows)
        items = rows["item_id"]
        assert torch.allclose(model.predict(rows), scores.gather(1, items.unsqueeze(1)).squeeze(1))


# the objective


def test_joint_scores_are_the_sum_of_both(folder: Path) -> None:
    model, examples, _ = built(folder, loss_type="CE", posterior="point", joint_weight=1.0)
    terms, (t, s) = model.terms(examples)
    both = model.encoder.scores(t) + model.spurious.scores(s)
    assert float(terms["joint"]) == pytest.approx(float(cross_entropy(both, examples.targets)))


def test_pairwise_terms_compare_targets_with_their_negatives(folder: Path) -> None:
    model, examples, _ = built(folder, posterior="point", joint_weight=1.0)
    terms, (t, s) = model.terms(examples)
    rows = torch.arange(len(t))
    for name, scores in (
        ("prediction", model.encoder.scores(t)),
        ("joint", model.encoder.scores(t) + model.spurious.scores(s)),
    ):
        margin = scores[rows, examples.targets] - scores[rows, examples.negatives]
        wanted = torch.nn.functional.softplus(-margin).mean()
        assert float(terms[name]) == pytest.approx(float(wanted), rel=1e-5)


OPTIONS: dict[str, Any] = {
    "s_input": "sequence",
    "independence": "xcov",
    "independence_weight": 0.5,
    "spurious_weight": None,
    "joint_weight": 0.25,
    "compression_weight": 0.125,
    "contrastive": "none",
    "contrastive_weight": 2.0,
}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, {"prediction": 1, "joint": 0.25, "compression": 0.125, "independence": 0.5}),
        ({"independence": "maximize"},
         {"prediction": 1, "joint": 0.25, "compression": 0.125, "independence": -0.5}),
        ({"s_input": "none"}, {"prediction": 1, "compression": 0.125}),
        ({"independence_weight": 0.0, "joint_weight": 0.0, "compression_weight": 0.0},
         {"prediction": 1}),
        ({"contrastive": "dropout", "s_input": "none"},
         {"prediction": 1, "compression": 0.125, "contrastive": 2.0}),
        ({"independence": "dib"}, {"prediction": 0.5, "joint": 0.5, "compression": 0.125}),
        ({"independence": "dib", "spurious_weight": 0.25},
         {"prediction": 0.5, "joint": 0.5, "spurious": -0.25, "compression": 0.125}),
    ],
)  # fmt: skip
def test_weights_of_the_terms(changes: dict[str, Any], wanted: dict[str, float]) -> None:
    assert term_weights({**OPTIONS, **changes}) == wanted


def test_the_loss_is_the_weighted_sum(folder: Path) -> None:
    model, _, data = built(folder, posterior="point", independence_weight=3.0)
    batch = next(iter(data.loaders.train))
    terms, _ = model.terms(model.encoder.examples(batch))
    wanted = sum(model.term_weights[name] * float(term) for name, term in terms.items())
    assert float(model.calculate_loss(batch)) == pytest.approx(wanted, rel=1e-6)


def test_a_worse_than_chance_spurious_loss_is_not_rewarded(folder: Path) -> None:
    options = {"independence": "dib", "independence_weight": 0.9, "spurious_weight": 0.1}
    model, examples, _ = built(folder, **options, posterior="point")
    with torch.no_grad():  # scores each target of s far below its negative
        model.spurious.own.weight.mul_(1e3)
    terms, (_, s) = model.terms(examples)
    prediction = model.prediction
    of_s = prediction.loss(prediction.evidence(model.spurious, s, examples), examples)
    assert float(of_s) > prediction.chance
    assert float(terms["spurious"]) == pytest.approx(prediction.chance)
    (gradient,) = torch.autograd.grad(terms["spurious"], s, allow_unused=True)
    assert gradient is None or float(gradient.abs().sum()) == 0.0


IDLE = {"BERT4Rec": {"spurious.encoder.backbone.output_bias"}}
"""What learns from nothing: the spurious scores have no bias."""


@pytest.mark.parametrize("s_input", ["sequence", "attribute"])
@pytest.mark.parametrize("loss_type", ["BPR", "CE"])
@pytest.mark.parametrize("encoder", list(SMALL))
def test_every_encoder_learns_all_of_its_parts(
    folder: Path, encoder: str, loss_type: str, s_input: str
) -> None:
    options = {**SMALL[encoder], **KIND, "s_input": s_input, "loss_type": loss_type}
    model, examples, _ = built(folder, encoder=encoder, **options)
    terms, _ = model.terms(examples)
    torch.stack(list(terms.values())).sum().backward()
    assert all(bool(term.isfinite()) for term in terms.values())
    assert min(float(terms["independence"]), float(terms["compression"])) > 0
    idle = {name for name, p in model.named_parameters() if p.grad is None}
    assert idle == IDLE.get(encoder, set())
    moved = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert moved >= {"encoder", "spurious", "head", "spurious_head"}


def test_a_foreign_trainer_is_told_what_it_cannot_train(folder: Path) -> None:
    for own in ({"independence": "club"}, {"adaptive_weights": "uncertainty"}):
        model, _, data = built(folder, **own)
        with pytest.raises(InputError, match="Irl4RecTrainer"):
            model.calculate_loss(next(iter(data.loaders.train)))


def test_hsic_takes_as_many_rows_as_it_says() -> None:
    for n_rows in (5, 256, 257, 300, 1000):
        rows = spread_rows(n_rows, 256, torch.device("cpu"))
        assert len(rows.unique()) == len(rows) == min(n_rows, 256)
        assert int(rows.max()) < n_rows
        assert int(rows.diff().max()) <= -(-n_rows // 256)

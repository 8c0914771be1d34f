"""What every model of ours must do; a new model's test inherits `ModelContract`."""

import copy
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction

import recbole_invariant as ri
from recbole_invariant.config import build_config
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.training import build, fit
from tests.host import stop_after, write_toy

N_DIMS = 6


def write_features(folder: Path, n_items: int = 30) -> None:
    """Write `<folder>/toy/toy.look.npy` and its tokens, in another order than the items."""
    rng = np.random.default_rng(1)
    order = rng.permutation(n_items)
    np.save(folder / "toy" / "toy.look.npy", rng.normal(size=(n_items, N_DIMS)).astype("f2"))
    tokens = "".join(f"i{item}\n" for item in order)
    (folder / "toy" / "toy.item_tokens.txt").write_text(tokens)


class ModelContract:
    """Inherit, set `name`, and `options` that make an epoch quick."""

    name: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        path: Path = tmp_path_factory.mktemp("contract")
        write_toy(path, n_users=40)
        write_features(path)
        return path

    def config(self, folder: Path, **changes: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            "data_path": str(folder),
            "modalities": {"look": {"source": "npy"}},
            "ood": "popularity",
            "topk": [5],
            "valid_metric": "NDCG@5",
            "show_progress": False,
            "use_gpu": False,
            "train_batch_size": 64,
            "epochs": 3,
            "eval_step": 1,
            "learning_rate": 0.01,
        }
        return {**values, **self.options, **changes}

    def interrupted(
        self, folder: Path, run_dir: Path, after: int, **changes: Any
    ) -> tuple[Any, Any]:
        """Kill a training after so many checkpoints, go on from the last in new objects."""
        entry = resolve(self.name)
        values = self.config(folder, checkpoint_minutes=0, **changes)

        def begin() -> tuple[Any, Any, Any, Any]:
            config = build_config(self.name, "toy", values)
            config["run_dir"], config["checkpoint_dir"] = str(run_dir), str(run_dir / "checkpoint")
            data = prepare(config, entry)
            return config, data, *build(config, entry, data)

        config, data, model, trainer = begin()
        stop_after(trainer, after)
        with pytest.raises(KeyboardInterrupt):
            fit(config, trainer, data)
        config, data, model, trainer = begin()
        trainer.resume_checkpoint(run_dir / "checkpoint" / "last.safetensors")
        fit(config, trainer, data)
        return model, trainer

    def trained(self, folder: Path, **changes: Any) -> tuple[Any, Any, Any]:
        """Return model, trainer and data after training, without records."""
        entry = resolve(self.name)
        config = build_config(self.name, "toy", self.config(folder, **changes))
        config["checkpoint_dir"] = str(folder / "saved")
        data = prepare(config, entry)
        model, trainer = build(config, entry, data)
        fit(config, trainer, data)
        return model, trainer, data

    @pytest.fixture(scope="class")
    def after(self, folder: Path) -> tuple[Any, Any, Any]:
        return self.trained(folder)

    def users(self) -> Interaction:
        return Interaction({"user_id": torch.arange(1, 6)})

    def test_ranking_has_the_catalogues_width_and_agrees_with_pairs(self, after: Any) -> None:
        model = after[0].eval()
        every = model.full_sort_predict(self.users())
        assert every.shape == (5, model.n_items)
        items = torch.arange(1, 6)
        pairs = Interaction({"user_id": torch.arange(1, 6), "item_id": items})
        picked = every[torch.arange(5), items]
        torch.testing.assert_close(model.predict(pairs), picked, rtol=1e-4, atol=1e-5)

    def test_hosts_loss_is_finite_and_moves_every_parameter(self, after: Any) -> None:
        model, _, data = after
        model.train()
        model.zero_grad()
        columns = data.parts.train.inter_feat
        batch = Interaction({k: columns[k] for k in ("user_id", "item_id")})
        loss = model.calculate_loss(batch)
        assert torch.isfinite(loss)
        loss.backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert bool(parameter.grad.any()), name

    def test_the_saved_weights_give_the_same_scores(self, after: Any, folder: Path) -> None:
        model, trainer, data = after
        entry = resolve(self.name)
        fresh = entry.model_class(trainer.config, data.parts.train)
        fresh.load_state_dict(model.state_dict())
        scores = model.eval().full_sort_predict(self.users())
        assert torch.equal(fresh.eval().full_sort_predict(self.users()), scores)
        assert torch.equal(copy.deepcopy(model).full_sort_predict(self.users()), scores)

    def test_the_same_seed_gives_the_same_bits_and_another_does_not(
        self, after: Any, folder: Path
    ) -> None:
        again, _, _ = self.trained(folder)
        other, _, _ = self.trained(folder, seed=7)
        for name, value in after[0].state_dict().items():
            assert torch.equal(value, again.state_dict()[name]), name
        table = "user_embedding.weight"
        assert not torch.equal(after[0].state_dict()[table], other.state_dict()[table])

    @pytest.mark.parametrize("checkpoints", [1, 3])
    def test_a_killed_training_goes_on_to_the_same_bits(
        self, after: Any, folder: Path, tmp_path: Path, checkpoints: int
    ) -> None:
        stages = sum(record["epochs"] for record in after[1].stage_records)
        if checkpoints >= stages:
            pytest.skip(f"the whole training has {stages} epochs")
        model, trainer = self.interrupted(folder, tmp_path, checkpoints)
        for name, value in after[0].state_dict().items():
            assert torch.equal(value, model.state_dict()[name]), name
        assert trainer.best_epoch == after[1].best_epoch
        names = [record["name"] for record in trainer.stage_records]
        assert names == [record["name"] for record in after[1].stage_records]
        losses = [line["losses"] for line in trainer.history.lines]
        assert losses == [line["losses"] for line in after[1].history.lines]

    def test_training_lowers_the_loss(self, after: Any) -> None:
        lines = after[1].history.lines
        last_stage = [line for line in lines if line["stage"] == lines[-1]["stage"]]
        assert last_stage[-1]["losses"]["loss"] < last_stage[0]["losses"]["loss"]

    def test_the_selected_epoch_is_the_best_on_validation(self, after: Any) -> None:
        trainer = after[1]
        stage = trainer.stage_records[-1]["name"]
        scores = [
            line["valid"]["ndcg@5"] for line in trainer.history.lines if line["stage"] == stage
        ]
        assert trainer.best_valid_score == max(scores)
        assert scores[trainer.best_epoch] == max(scores)

    def test_a_run_writes_its_folder_and_repeats(self, folder: Path) -> None:
        results = [
            ri.run(self.name, "toy", config=self.config(folder), output_dir=folder / "runs")
            for _ in range(2)
        ]
        assert results[0].metrics == results[1].metrics
        assert set(results[0].metrics) == {"valid", "iid", "ood_popularity"}
        assert results[0].run_dir is not None
        record = json.loads((results[0].run_dir / "run.json").read_text())
        assert record["model"] == self.name
        assert (results[0].run_dir / "history.jsonl").read_text().count("\n") >= 3

    def test_hosts_own_entry_point_knows_the_name(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from recbole.quick_start import run_recbole

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["test"])
        values = self.config(folder, epochs=1)
        values.pop("ood")
        result = run_recbole(model=self.name, dataset="toy", config_dict=values)
        assert set(result["test_result"]) >= {"ndcg@5"}

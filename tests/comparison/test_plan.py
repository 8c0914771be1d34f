"""Options of all runs, resolved and checked before anything starts."""

import numpy as np
import pytest

from recbole_invariant.comparison.compare import compare, plan_comparison
from recbole_invariant.compat import host
from recbole_invariant.errors import InputError
from tests.host import write_toy


@pytest.fixture
def options(tmp_path):
    write_toy(tmp_path, ratings=True)
    return {"data_path": str(tmp_path), "ood": "popularity"}


def folders(models, options, seeds=1, **given):
    plan = plan_comparison(models, "toy", seeds, config=options, **given)
    return [run.folder.name for run in plan.runs]


def test_runs_stand_seed_by_seed_with_their_own_options(options):
    plan = plan_comparison(
        "Pop,BPR[epochs=3]", "toy", "[5,1]", config=options, command_line={"epochs": "7"}
    )

    assert [(run.label, run.seed) for run in plan.runs] == [
        ("Pop", 5),
        ("BPR[epochs=3]", 5),
        ("Pop", 1),
        ("BPR[epochs=3]", 1),
    ]
    assert plan.protocol == "popularity"
    assert str(plan.out) == "runs/compare-toy-popularity"
    assert plan.runs[0].command_line["epochs"] == "7"
    assert plan.runs[1].command_line["epochs"] == "3"
    assert plan.runs[1].command_line["seed"] == "5"
    assert plan.runs[1].folder.name.startswith("BPR-epochs=3-seed5-")
    said = plan.describe()
    assert "2 models x 2 seeds = 4 runs, 0 of them done" in said
    assert "options of Pop: none to set" in said
    assert "options of BPR[epochs=3]: untuned" in said


def test_a_folder_is_named_after_what_matters(options, tmp_path):
    plain = folders("BPR", options)

    assert folders("BPR", options, jobs=2) == plain
    assert folders("BPR", {**options, "torch_threads": 1, "show_progress": True}) == plain
    assert folders("BPR", {**options, "eval_memory_mb": 64}) == plain
    assert folders("BPR", {**options, "learning_rate": 0.5}) != plain
    assert folders("BPR", options, seeds=[1]) != plain
    # the default, written out, is another line but the same result
    assert folders("BPR[embedding_size=64]", options)[0][-12:] == plain[0][-12:]
    (tmp_path / "toy" / "notes.txt").write_text("of no run")
    (tmp_path / "toy" / "other").mkdir()
    (tmp_path / "toy" / "other" / "toy.inter").write_text("of another data set")
    assert folders("BPR", options) == plain
    with (tmp_path / "toy" / "toy.inter").open("a") as file:
        file.write("u1\ti29\t5\n")
    assert folders("BPR", options) != plain


def test_every_line_has_its_own_data(options, tmp_path):
    features = tmp_path / "features.npy"
    np.save(features, np.zeros((30, 4)))
    models = f"BPR,UltraGCNF[modalities={{v: {{source: npy, file: {features}}}}}]"
    before = folders(models, options)

    np.save(features, np.ones((30, 4)))

    after = folders(models, options)
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_default_file_of_a_modality_counts_too(options, tmp_path):
    place = tmp_path / "toy" / "mmrec"
    place.mkdir()
    np.save(place / "image_feat.npy", np.zeros((30, 4)))
    (place / "i_id_mapping.csv").write_text("asin\titemID\n")
    models = "UltraGCNF[modalities={v: {source: mmrec, file: image_feat.npy, dir: mmrec}}]"
    before = folders(models, options)

    (place / "i_id_mapping.csv").write_text("asin\titemID\nx\t0\n")

    assert folders(models, options) != before


@pytest.mark.parametrize("library", ["recbole", "torch"])
def test_another_version_of_the_host_is_another_run(options, library, monkeypatch):
    before = folders("BPR", options)
    versions = {**host.found_versions(), library: "0.0.1"}
    monkeypatch.setattr("recbole_invariant.comparison.fingerprint.found_versions", lambda: versions)

    assert folders("BPR", options) != before


@pytest.mark.parametrize("other", ["BPR[]", "BPR[topk=[5,10]],BPR[topk=[5, 10]]"])
def test_two_lines_of_the_same_run_are_refused(options, other):
    with pytest.raises(InputError, match="are the same run"):
        folders(f"BPR,{other}", options)


def test_a_section_of_a_file_is_tuning(options, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("models:\n  BPR: {learning_rate: 0.1, epochs: 3}\n")

    plan = plan_comparison("Pop,BPR", "toy", 1, config=options, config_files=[str(path)])

    assert plan.tuned == {"Pop": 0, "BPR": 2}


def test_everything_that_is_wrong_is_said_at_once(options):
    with pytest.raises(InputError) as raised:
        compare(
            "BPRR,BPR[epoch=3],Pop[seed=1]",
            "toy",
            "none",
            config={**options, "topk": 0},
            command_line={"run_name": "x"},
            baseline="LightGCN",
        )

    problems = raised.value.problems
    for part in (
        "baseline: 'LightGCN' is not among",
        "seeds: expected",
        "run_name: compare names its runs itself",
        "model 'BPRR': there is no such model. Did you mean 'BPR'",
        "there is no option 'epoch'. Did you mean 'epochs'",
        "seed: compare takes several: --seeds",
        "option 'topk'",
    ):
        assert any(part in problem for problem in problems), part
    assert len(problems) == len(set(problems))


def test_models_under_different_protocols_are_not_compared(options, monkeypatch):
    from recbole_invariant.comparison import plan

    monkeypatch.setattr(
        plan, "chosen_protocol", lambda config, layer: None if config["model"] == "FM" else "random"
    )

    with pytest.raises(InputError, match=r"different protocols .BPR: random, FM: none."):
        plan_comparison("BPR,FM", "toy", 1, config=options)


@pytest.mark.parametrize("jobs", [0, -1, "2"])
def test_jobs_are_counted(jobs):
    with pytest.raises(InputError, match="jobs: expected an integer >= 1"):
        compare("BPR", jobs=jobs)


def test_each_seed_can_have_data_of_its_own(tmp_path):
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        write_toy(tmp_path / str(seed), seed=seed)
    where = {"data_path": str(tmp_path / "{seed}")}

    plan = plan_comparison("Pop,BPR", "toy", "[1,2]", command_line=where)

    asked = [run.command_line["data_path"] for run in plan.runs]
    assert asked == [str(tmp_path / seed) for seed in "1122"]
    before = [run.folder.name for run in plan.runs]
    write_toy(tmp_path / "2", seed=7)
    after = [
        run.folder.name
        for run in plan_comparison("Pop,BPR", "toy", "[1,2]", command_line=where).runs
    ]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True] * 2 + [
        False
    ] * 2
    with pytest.raises(InputError, match="toy"):
        plan_comparison("Pop", "toy", "[1,3]", command_line=where)


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ("Pop,BPR,BPR[epochs=3],ItemKNN", "Pop, BPR, ItemKNN do not read it."),
        ("Pop,LightGCN", "Pop does not read it."),
    ],
)
def test_an_option_of_other_models_is_warned_of_once(caplog, models, says, tmp_path):
    for seed in (7, 8):
        (tmp_path / str(seed)).mkdir()
        write_toy(tmp_path / str(seed))
    words = {"n_layers": "2", "data_path": f"{tmp_path}/{{seed}}", "ood": "random"}

    plan_comparison(models, "toy", [7, 8], command_line=words)

    (said,) = [text for text in caplog.messages if "belongs to other models" in text]
    assert "command line: option 'n_layers' belongs to other models; " in said
    assert says in said

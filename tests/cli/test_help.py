"""`--help` of a model that wraps another lists the options of both."""

import re

import pytest

from recbole_invariant.cli.main import main


def shown(capsys, *words):
    assert main(["--help", *words]) == 0
    return capsys.readouterr().out


def section(text, title):
    """The option names listed under a title."""
    part = text.partition(f"\noptions of {title}, with their defaults:\n")[2]
    lines = part.partition("\noptions of ")[0].splitlines()
    return [line.split("=")[0].strip() for line in lines if line.startswith("  --")]


def test_the_backbone_of_the_command_line(capsys):
    text = shown(capsys, "--model", "IDEA", "--backbone", "SASRec")

    assert section(text, "IDEA")[:2] == ["--backbone", "--variant"]
    assert "--n_heads" in section(text, "SASRec (backbone)")
    assert "--hidden_size" in section(text, "SASRec (backbone)")
    assert "--num_layers" not in text
    assert "--positive_threshold" in section(text, "every run")
    assert text.count("--loss_type") == 1


def test_the_backbone_of_the_files(capsys):
    text = shown(capsys, "--model=IDEA")

    assert "--num_layers" in section(text, "GRU4Rec (backbone)")
    assert "--n_heads" not in text


def test_the_encoder_of_irl4rec(capsys):
    text = shown(capsys, "--model", "Irl4Rec")
    assert section(text, "Irl4Rec")[:3] == ["--encoder", "--variant", "--s_input"]
    assert "--n_heads" in section(text, "SASRec (encoder)")

    text = shown(capsys, "--model", "Irl4Rec", "--encoder=GRU4Rec")
    assert "--num_layers" in section(text, "GRU4Rec (encoder)")
    assert "--n_heads" not in text
    assert text.count("--loss_type") == 1
    assert "--backbone" not in text.partition("\noptions of Irl4Rec")[2]


def test_a_model_that_wraps_none_has_no_such_section(capsys):
    assert "(backbone)" not in shown(capsys, "--model=PaInvRL", "--backbone=SASRec")


@pytest.mark.parametrize("backbone", ["SASrec", "LightGCN"])
def test_a_backbone_that_cannot_be_wrapped(capsys, backbone):
    assert main(["--help", "--model=IDEA", f"--backbone={backbone}"]) == 2
    assert "error: command line: backbone: " in capsys.readouterr().err


def test_what_the_dataset_or_the_variant_sets_instead_is_said(capsys):
    text = shown(capsys, "--model=UltraGCN")
    assert re.search(r"--learning_rate=\S+ .*; 0.005 by dataset_configs/ml-100k.yaml models", text)
    assert " by dataset_configs" not in shown(capsys, "--model=UltraGCN", "--dataset=of_mine")

    text = shown(capsys, "--model=PaInvRL", "--variant=paper")
    assert "--n_environments=3 (int, >= 2); 10 by variant paper\n" in text

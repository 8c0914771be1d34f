"""What an interrupted run says of itself."""

import os
from pathlib import Path

import pytest

from recbole_invariant.interruption import remains, remains_noted, resume_command


def write_history(folder, text, age=0.0):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "history.jsonl"
    path.write_text(text)
    os.utime(path, (1e9 - age, 1e9 - age))


def test_before_the_first_epoch_there_is_nothing_to_go_on_from(tmp_path):
    said = remains(tmp_path)

    assert said.startswith("before the first epoch ended\n")
    assert f"the run folder stays: {tmp_path}\n" in said
    assert "from the beginning: there is no checkpoint yet" in said
    assert f"--resume {tmp_path}" in said


def test_whole_epochs_of_the_last_stage_are_counted_and_the_checkpoint_named(tmp_path):
    lines = ['{"stage": "a", "epoch": 0}\n', *(f'{{"stage": "b", "epoch": {n}}}\n' for n in (0, 1))]
    write_history(tmp_path, "".join(lines) + '{"stage": "b", "ep')
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "last.safetensors").touch()

    said = remains(tmp_path)

    assert said.startswith("after 2 epochs of stage 'b'\n")
    assert said.endswith(f"from its last checkpoint with\n  {resume_command(tmp_path)}")


def test_the_command_is_the_one_that_was_typed_and_quotes_the_folder(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/bin/recbole-inv"])
    assert resume_command(Path("my runs/a")) == "recbole-inv --resume 'my runs/a'"
    monkeypatch.setattr("sys.argv", ["run_recbole_inv.py"])
    assert resume_command(Path("a")) == "python run_recbole_inv.py --resume a"


def test_of_a_run_with_baselines_the_one_that_was_training_is_named(tmp_path):
    write_history(tmp_path, '{"stage": "a", "epoch": 0}\n', age=9)
    write_history(tmp_path / "baselines" / "BPR", '{"stage": "train", "epoch": 0}\n')

    said = remains(tmp_path)

    assert said.startswith("after 1 epoch of stage 'train' of baselines/BPR\n")
    assert f"the run folder stays: {tmp_path}\n" in said


@pytest.mark.parametrize("broken", ["", "no json\n", "[]\n"])
def test_an_interruption_stays_one_whatever_the_folder_holds(tmp_path, broken):
    write_history(tmp_path, broken)

    with pytest.raises(KeyboardInterrupt), remains_noted(tmp_path):
        raise KeyboardInterrupt


def test_errors_get_no_note(tmp_path):
    with pytest.raises(ValueError, match=r"^wrong$") as caught, remains_noted(tmp_path):
        raise ValueError("wrong")

    assert not hasattr(caught.value, "__notes__")

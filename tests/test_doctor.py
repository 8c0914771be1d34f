"""What the doctor finds, and how it says it."""

from dataclasses import replace
from pathlib import Path

import pytest

import recbole_invariant
from recbole_invariant import compat, doctor
from recbole_invariant.compat.host import found_versions


@pytest.fixture(scope="module")
def here() -> doctor.DoctorReport:
    return doctor.report()


def test_this_environment_is_fine(here: doctor.DoctorReport) -> None:
    assert here.problems == []
    assert here.versions["recbole"] == "1.2.1"
    assert here.mends == compat.mends_in_force()
    assert here.devices[0] == "cpu"
    assert here.healthy
    assert here.models == ["UltraGCN", "UltraGCNF", "InvRL", "PaInvRL", "IDEA", "Irl4Rec"]


def test_libraries_of_searches_are_listed_and_optional(
    here: doctor.DoctorReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {"ray", "optuna", "hyperopt"} <= here.versions.keys()
    monkeypatch.setattr(doctor, "_installed", lambda library: None)
    without = doctor.report()
    assert without.healthy
    assert "  optuna: missing\n  hyperopt: missing\n" in doctor.format_report(without)


def test_a_checkout_that_is_not_installed_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_installed", lambda library: None)
    text = doctor.format_report(doctor.report())
    assert f"  recbole_invariant: {recbole_invariant.__version__} (not installed; that of " in text


def test_the_shipped_data_set_is_found(here: doctor.DoctorReport) -> None:
    assert (Path(here.datasets["ml-100k"]) / "ml-100k.inter").is_file()


@pytest.mark.parametrize(
    ("library", "version", "said"),
    [
        ("recbole", None, "pip install --no-deps recbole==1.2.1"),
        ("pandas", "2.2.3", 'pip install "pandas>=3"'),
        ("torch", None, 'pip install "torch>=2.6"'),
    ],
)
def test_a_missing_or_old_library_is_a_problem_with_its_command(
    library: str, version: str | None, said: str
) -> None:
    found = doctor.report(found=found_versions() | {library: version})
    assert not found.healthy
    assert [problem.split(":")[0] for problem in found.problems] == [library]
    text = doctor.format_report(found)
    assert said in text
    assert f"  {library}: {version or 'missing'}\n" in text
    assert "host and libraries: fine" not in text


def test_data_sets_are_folders_with_their_own_interactions(tmp_path: Path) -> None:
    for name, file in [
        ("whole", "whole.inter"),
        ("parts", "parts.train.inter"),
        ("od[d]*", "od[d]*.inter"),
        ("other", "another.inter"),
        ("empty", "empty.item"),
    ]:
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("")
    (tmp_path / "file.inter").write_text("")
    found = doctor.datasets_in(tmp_path)
    assert found == {name: str(tmp_path / name) for name in ("whole", "parts", "od[d]*")}
    assert doctor.datasets_in(tmp_path / "absent") == doctor.datasets_in(None) == {}
    assert found.items() <= doctor.report(tmp_path).datasets.items()


def test_missing_yaml_files_are_not_healthy(here: doctor.DoctorReport) -> None:
    fine = replace(here, yaml_folder="somewhere")
    assert fine.healthy
    assert doctor.format_report(fine).endswith("host and libraries: fine")
    broken = replace(here, yaml_folder=None)
    assert not broken.healthy
    assert "options: missing" in doctor.format_report(broken)

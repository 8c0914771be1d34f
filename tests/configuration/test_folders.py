"""Options come from the tree that the code comes from."""

from pathlib import Path

import pytest

from recbole_invariant.configuration import folders


def test_a_source_tree_reads_its_own_files_whatever_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "setup.py").touch()
    module = tmp_path / "recbole_invariant" / "configuration" / "folders.py"
    monkeypatch.setattr(folders, "__file__", str(module))
    assert folders.properties_folder() == tmp_path / "properties"
    assert folders.dataset_configs_folder() == tmp_path / "dataset_configs"


def test_an_installed_package_reads_what_was_installed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "recbole_invariant" / "configuration" / "folders.py"
    monkeypatch.setattr(folders, "__file__", str(module))
    assert (folders.properties_folder() / "overall.yaml").is_file()
    assert folders.properties_folder() != tmp_path / "properties"

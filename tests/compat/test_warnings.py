"""RecBole's outdated calls are quiet; everybody else's are not."""

import warnings

import pytest
from recbole.data.dataset import Dataset
from recbole.utils import get_model

from recbole_invariant.compat.warnings import silence_host_warnings

from .conftest import MakeConfig, run_python


def test_a_data_set_and_a_graph_model_raise_no_warning(make_config: MakeConfig) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        silence_host_warnings()
        config = make_config("LightGCN")
        dataset = Dataset(config)
        dataset._change_feat_format()
        assert get_model("LightGCN")(config, dataset).n_items == 5


@pytest.mark.parametrize("module", ["recbole_invariant.data", "my_recbole", "recbole"])
def test_warnings_of_other_modules_stay(module: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        silence_host_warnings()
        with pytest.raises(FutureWarning, match="old"):
            warnings.warn_explicit("old", FutureWarning, "file.py", 1, module=module)


def test_the_package_is_quiet_about_the_host_from_its_import_on() -> None:
    code = (
        "import warnings, recbole_invariant\n"
        "warnings.warn_explicit('old', FutureWarning, 'file.py', 1, module='recbole.data')\n"
        "warnings.warn_explicit('mine', FutureWarning, 'file.py', 1, module='other')\n"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert "mine" in done.stderr
    assert "old" not in done.stderr


def test_the_host_may_still_warn_its_user() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        silence_host_warnings()
        with pytest.raises(UserWarning, match="check your data"):
            warnings.warn_explicit(
                "check your data", UserWarning, "file.py", 1, module="recbole.data"
            )

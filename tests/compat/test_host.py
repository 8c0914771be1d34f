"""What the import check and the records say about the host."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant import compat
from recbole_invariant.compat import host

from .conftest import run_python

GOOD: dict[str, str | None] = {
    "python": "3.11.0",
    "recbole": "1.2.1",
    "numpy": "2.0.0",
    "pandas": "3.0.0",
    "scipy": "1.13.0",
    "torch": "2.6.0+cpu",
}
VERSION = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(tuple)


def test_the_floors_themselves_are_fine() -> None:
    assert host.host_problems(GOOD) == []


@pytest.mark.parametrize(
    ("package", "found", "said"),
    [
        ("recbole", None, ["found nothing", "1.2.1", "pip install --no-deps recbole==1.2.1"]),
        ("recbole", "1.2.0", ["found 1.2.0", "1.2.1", "pip install --no-deps recbole==1.2.1"]),
        ("numpy", "1.26.4", ["found 1.26.4", ">= 2", 'pip install "numpy>=2"']),
        ("pandas", "2.2.3", ["found 2.2.3", ">= 3", 'pip install "pandas>=3"']),
        ("scipy", "1.9.3", ["found 1.9.3", ">= 1.13", 'pip install "scipy>=1.13"']),
        ("torch", None, ["found nothing", ">= 2.6", 'pip install "torch>=2.6"']),
        ("python", "3.10.14", ["found 3.10.14", ">= 3.11"]),
    ],
)
def test_one_message_names_package_found_needed_and_command(
    package: str, found: str | None, said: list[str]
) -> None:
    (message,) = host.host_problems(GOOD | {package: found})
    assert message.startswith(f"{package}: ")
    assert [part for part in said if part not in message] == []


def test_all_problems_are_in_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = GOOD | {"numpy": "1.26.4", "recbole": None}
    monkeypatch.setattr(host, "found_versions", lambda: broken)
    with pytest.raises(ImportError, match=r"(?s)numpy: found 1\.26\.4.*recbole: found nothing"):
        host.check_host()


def test_this_environment_is_found_and_fine() -> None:
    found = host.found_versions()
    assert found["recbole"] == "1.2.1"
    assert host.host_problems(found) == []


@given(VERSION, st.sampled_from(["", "+cpu", "rc1", ".dev3", "-beta"]))
def test_a_release_is_the_leading_numbers(numbers: tuple[int, ...], suffix: str) -> None:
    assert host.release(".".join(map(str, numbers)) + suffix) == numbers


def test_a_version_without_numbers_is_older_than_any_floor() -> None:
    assert host.release("unknown") < host.release("0")


def test_every_mend_says_what_it_mends_and_when_it_can_go() -> None:
    names = [mend.name for mend in compat.MENDS]
    assert len(set(names)) == len(names)
    assert all(".py:" in mend.mends and mend.until for mend in compat.MENDS)
    compat.apply()
    assert compat.mends_in_force() == names


def test_importing_the_package_does_not_import_ray() -> None:
    done = run_python("import recbole_invariant\nprint([m for m in sys.modules if m == 'ray'])")
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_importing_without_recbole_is_one_clear_error() -> None:
    done = run_python("sys.modules['recbole'] = None\nimport recbole_invariant")
    last = done.stderr.strip().splitlines()[-1]
    assert "recbole: found nothing" in last
    assert "pip install --no-deps recbole==1.2.1" in last


def test_the_command_line_says_the_same_without_a_traceback() -> None:
    done = run_python("sys.modules['recbole'] = None\nimport run_recbole_inv as r\nexit(r.main())")
    assert done.returncode == 2
    assert "recbole: found nothing" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_with_another_recbole_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "recbole").mkdir()
    (tmp_path / "recbole" / "__init__.py").write_text("__version__ = '1.1.0'\n")
    done = run_python("import recbole_invariant", tmp_path)
    assert "recbole: found 1.1.0, needed == 1.2.1" in done.stderr.splitlines()[-1]


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import recbole_invariant

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = recbole_invariant.no_such_name

"""A place for files: a folder and URLs behave the same; wrong places are one clear error."""

import os
import pickle
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.fsspec_files import open_url
from recbole_invariant.tuning.storage import Storage


@pytest.fixture(params=["local", "file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty place of each kind."""
    places = {
        "local": str(tmp_path / "place"),
        "file": f"file://{tmp_path}/place",
        "memory": f"memory://{uuid4().hex}/place",
    }
    return Storage.open(places[request.param])


def test_reads_back_what_was_written(storage: Storage) -> None:
    assert storage.read("a/b.txt") is None
    assert not storage.exists("a/b.txt")
    storage.write("a/b.txt", "ä")
    storage.write("c.bin", b"\x00")
    assert storage.read("a/b.txt") == "ä".encode()
    storage.write("a/b.txt", "new")
    assert storage.read("a/b.txt") == b"new"
    assert storage.exists("a/b.txt")
    assert not storage.exists("a")
    assert storage.names() == ["a/b.txt", "c.bin"]
    assert storage.names("a") == ["a/b.txt"]
    assert storage.child("a").names() == ["b.txt"]
    storage.remove("c.bin")
    storage.remove("c.bin")
    assert storage.names() == ["a/b.txt"]


def test_names_of_a_folder_leave_out_its_namesakes(storage: Storage) -> None:
    for name in ("a/x", "ab/x", "a.x"):
        storage.write(name, b"")
    assert storage.names("a") == ["a/x"]
    assert storage.names("nowhere") == []


def test_hidden_files_are_writes_under_way(storage: Storage) -> None:
    storage.write("a/.x.123", b"half")
    storage.write("a/x", b"whole")
    assert storage.names() == ["a/x"]


def test_push_copies_what_changed_and_pull_brings_it_back(storage: Storage, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoint").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (run / "checkpoint" / "last").write_text("1")
    (run / ".temporary").write_text("")
    assert storage.push(run, "trials/7") == ["trials/7/checkpoint/last", "trials/7/run.json"]
    assert storage.push(run, "trials/7") == []
    (run / "checkpoint" / "last").write_text("2")
    os.utime(run / "checkpoint" / "last", ns=(1, 1))
    (run / "run.json").unlink()
    assert storage.push(run, "trials/7") == ["trials/7/checkpoint/last"]
    back = tmp_path / "back"
    assert storage.pull("trials/7", back) == ["checkpoint/last", "run.json"]
    assert (back / "checkpoint" / "last").read_text() == "2"
    assert (back / "run.json").read_text() == "{}"
    assert storage.pull("trials/8", back) == []


def test_who_is_killed_while_it_pushes_leaves_no_record_of_a_whole_run(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, names = tmp_path / "run", ["history.jsonl", "run.json", "weights/last", "z"]
    (run / "weights").mkdir(parents=True)
    for name in names:
        (run / name).write_text(name)
    write = Storage.write

    def killed(self: Storage, name: str, content: bytes | str) -> None:
        if name.endswith("/z"):
            raise KeyboardInterrupt
        write(self, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            storage.push(run, "trials/7")
    assert storage.names("trials/7") == ["trials/7/history.jsonl", "trials/7/weights/last"]
    assert storage.push(run, "trials/7") == ["trials/7/z", "trials/7/run.json"]


def test_another_process_gets_the_same_place(storage: Storage) -> None:
    storage.write("x", b"1")
    sent: Storage = pickle.loads(pickle.dumps(storage))
    assert sent == storage
    assert sent.read("x") == b"1"


def test_check_leaves_nothing_behind(storage: Storage, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    storage.check_writable()
    assert sorted(tmp_path.rglob("*")) == before
    assert storage.names() == []
    storage.write("kept", b"")
    storage.check_writable()
    assert storage.names() == ["kept"]


def test_a_name_stays_below_its_place(storage: Storage) -> None:
    for name in ("", "/etc/x", "../x", "a/../../x"):
        with pytest.raises(ValueError, match="no name"):
            storage.write(name, b"")


def test_relative_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    storage = Storage.open("runs/search")
    assert storage.is_local
    assert storage.path == tmp_path / "runs" / "search"
    assert not storage.path.exists()
    remote = Storage.open("memory://x/")
    assert not remote.is_local
    assert remote.place == "memory://x"
    with pytest.raises(ValueError, match="no local path"):
        _ = remote.path


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (" ", "empty"),
        ("memroy://bucket/x", "memroy.*Did you mean 'memory'"),
        ("http://127.0.0.1:1/x", "http"),
    ],
)
def test_wrong_places(place: str, words: str) -> None:
    with pytest.raises(InputError, match=rf"(?s)^storage: .*{words}"):
        Storage.open(place).check_writable()


def test_a_scheme_whose_library_is_missing_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(InputError, match=r"^storage: s3://bucket/x needs a library: .*s3fs"):
        open_url("s3://bucket/x", "storage")


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_file_in_the_way(scheme: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(InputError, match=r"^storage: .*taken"):
        Storage.open(f"{scheme}{tmp_path}/taken/search").check_writable()
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="takes no new folder"):
        Storage.open(tmp_path / "search").check_writable()


names = st.lists(st.sampled_from(["a", "b", "c.x"]), min_size=1, max_size=3).map("/".join)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["write", "remove"]), names, st.binary(max_size=3)))
)
def test_every_kind_is_a_mapping_of_names(
    steps: list[tuple[str, str, bytes]], tmp_path: Path
) -> None:
    mark = uuid4().hex
    urls = (str(tmp_path / mark), f"file://{tmp_path}/{mark}f", f"memory://{mark}")
    places = [Storage.open(url) for url in urls]
    held: dict[str, bytes] = {}
    for what, name, content in steps:
        # A file and a folder of one name cannot be told apart everywhere.
        own = f"{name}.file"
        if what == "write":
            held[own] = content
        else:
            held.pop(own, None)
        for place in places:
            place.write(own, content) if what == "write" else place.remove(own)
    for place in places:
        assert {name: place.read(name) for name in place.names()} == held

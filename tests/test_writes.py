"""The package's source: every file is written through `files.py`, and nothing is pickled."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import recbole_invariant

PACKAGE = Path(recbole_invariant.__file__).parent
WRITERS = {
    "write_text", "write_bytes", "tofile", "save_file", "savetxt",
    "to_pickle", "to_json", "to_hdf", "to_feather", "copy", "copyfile", "copy2", "copytree",
    "NamedTemporaryFile", "mkstemp", "fdopen", "touch",
}  # fmt: skip
BUFFERED = {"to_parquet", "to_csv", "savefig", "save", "savez", "savez_compressed"}
"""Write to a name or, as they must here, to a buffer or to nothing."""

RENAMES = {"replace", "rename", "link", "symlink"}
DUMPS = {"dump", "safe_dump"}
PICKLES = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "_pickle"}

# what each of these writes is no file that anybody reads as a whole
ALLOWED = {
    "files.py": {"mkstemp", "fdopen", "open", "replace"},
    "folder_lock.py": {"open"},  # an empty file to lock
    "logs.py": {"RunLogHandler"},
    "cli/main.py": {"open"},  # /dev/null
    "compat/checkpoints.py": {"save"},  # what the host saves outside of our runs
    "comparison/execute.py": {"open"},  # a child's output, as it comes
    "trainer/checkpoint_folder.py": {"replace"},  # of files that are whole
    "tuning/refit_run.py": {"rename"},  # of a folder that is whole
    "tuning/population.py": {"write_text"},  # in a folder that Ray copies and nobody else sees
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def owner(call: ast.Call) -> str:
    value = getattr(call.func, "value", None)
    return value.id if isinstance(value, ast.Name) else ""


def opens_for_writing(call: ast.Call) -> bool:
    words = [*call.args, *(keyword.value for keyword in call.keywords)]
    if owner(call) == "os":
        return any("O_WRONLY" in ast.dump(word) or "O_RDWR" in ast.dump(word) for word in words)
    said = [word.value for word in words if isinstance(word, ast.Constant)]
    return any(isinstance(word, str) and set("wax+") & set(word) and len(word) < 4 for word in said)


def writes(call: ast.Call) -> bool:
    name, first = called(call), call.args[0] if call.args else None
    if name == "open":
        return opens_for_writing(call)
    if name in RENAMES:
        # text.replace(a, b) and dataclasses.replace are no renames
        return owner(call) in {"os", "shutil"} or (name == "rename" and len(call.args) == 1)
    if name in {"copy", "copy2", "copyfile", "copytree"}:
        return owner(call) == "shutil"
    if name in DUMPS:
        return owner(call) in {"json", "yaml"} and len(call.args) > 1
    if name == "save" and owner(call) not in {"np", "torch"}:
        return False
    if name in BUFFERED:
        return first is not None and not (isinstance(first, ast.Name) and first.id == "buffer")
    return name in WRITERS or name in {"FileHandler", "RunLogHandler"}


def test_every_write_goes_through_files() -> None:
    found: dict[str, set[str]] = {}
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and writes(node):
                found.setdefault(name, set()).add(called(node))
    assert {name: calls - ALLOWED.get(name, set()) for name, calls in found.items()} == {
        name: set() for name in ALLOWED
    }


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("open(p, 'w')", True),
        ("open(p)", False),
        ("p.open(mode='ab')", True),
        ("p.open('rb')", False),
        ("os.open(p, os.O_WRONLY | os.O_CREAT)", True),
        ("table.to_csv(path)", True),
        ("table.to_csv(index=False)", False),
        ("table.to_parquet(buffer, index=False)", False),
        ("figure.savefig(out / 'a.png')", True),
        ("np.save(path, values)", True),
        ("json.dump(x, file)", True),
        ("json.dumps(x)", False),
        ("yaml.safe_dump(x)", False),
        ("text.replace('a', 'b')", False),
        ("os.replace(a, b)", True),
        ("path.write_text(x)", True),
        ("shutil.copy(a, b)", True),
    ],
)
def test_the_walk_finds_what_it_should(source: str, wrong: bool) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert writes(call) is wrong


def test_no_module_knows_a_pickling_library() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            imported = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
            assert not {one.split(".")[0] for one in imported} & PICKLES, name


def test_nothing_is_unpickled_outside_compat() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            said = {word.arg: word.value for word in node.keywords}
            allowed = said.get("allow_pickle")
            assert allowed is None or ast.literal_eval(allowed) is False, name
            if (owner(node), called(node)) == ("np", "load") and name != "compat/checkpoints.py":
                assert allowed is not None, f"{name}: np.load without allow_pickle=False"
            if (owner(node), called(node)) in {("torch", "load"), ("torch", "save")}:
                assert name == "compat/checkpoints.py"
            assert called(node) not in {"read_pickle", "to_pickle"}, name
            assert getattr(node.func, "id", "") not in {"eval", "exec"}, name

"""Cases of item features: matrices and lists of items, columns, files of MMRec and RecBole."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.fuzz.atomic_cases import NAME, WHOLE, prepare_toy, write
from tests.fuzz.attempts import Case
from tests.fuzz.tables import ITEMS

MODELS = ("UltraGCNF", "PaInvRL")
MATRIX = np.arange(ITEMS * 4, dtype=np.float32).reshape(ITEMS, 4) + 1
TOKENS = [f"i{k}" for k in range(ITEMS)]


def _saved(matrix: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, matrix, **options)
    return file.getvalue()


def _archive() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=MATRIX)
    return file.getvalue()


def _with(value: float, row: int = 3, dtype: Any = np.float32) -> np.ndarray:
    matrix = MATRIX.astype(dtype)
    matrix[row, 1] = value
    return matrix


MATRICES: dict[str, bytes] = {
    "as it should be": _saved(MATRIX),
    "float16": _saved(MATRIX.astype(np.float16)),
    "float64": _saved(MATRIX.astype(np.float64)),
    "big endian": _saved(MATRIX.astype(">f4")),
    "int8": _saved(MATRIX.astype(np.int8)),
    "bool": _saved(MATRIX > 3),
    "columns first": _saved(np.asfortranarray(MATRIX)),
    "nan": _saved(_with(np.nan)),
    "inf": _saved(_with(np.inf)),
    "beyond float32": _saved(_with(1e300, dtype=np.float64)),
    "complex": _saved(MATRIX.astype(np.complex64)),
    "text": _saved(MATRIX.astype(str)),
    "objects": _saved(MATRIX.astype(object), allow_pickle=True),
    "one dimension": _saved(MATRIX[:, 0]),
    "three dimensions": _saved(MATRIX[:, :, None]),
    "no dimension": _saved(np.float32(3)),
    "no column": _saved(MATRIX[:, :0]),
    "no row": _saved(MATRIX[:0]),
    "a row short": _saved(MATRIX[:-1]),
    "a row more": _saved(np.vstack([MATRIX, MATRIX[:1]])),
    "turned": _saved(MATRIX.T.copy()),
    "zeros": _saved(MATRIX * 0),
    "fields": _saved(np.zeros(ITEMS, dtype=[("a", "f4"), ("b", "f4")])),
    "times": _saved(np.zeros((ITEMS, 2), dtype="datetime64[s]")),
    "an archive": _archive(),
    "empty": b"",
    "text file": b"1 2 3\n",
    "a header only": _saved(MATRIX)[:80],
    "version 9": b"\x93NUMPY\x09\x00" + _saved(MATRIX)[8:],
}

LISTS: dict[str, bytes] = {
    "as it should be": "\n".join(TOKENS).encode(),
    "Windows newlines": "\r\n".join(TOKENS).encode(),
    "a byte order mark": "\n".join(TOKENS).encode("utf-8-sig"),
    "UTF-16": "\n".join(TOKENS).encode("utf-16"),
    "Latin-1": "\n".join([*TOKENS[:-1], "\u00e9"]).encode("latin-1"),
    "one short": "\n".join(TOKENS[:-1]).encode(),
    "one more": "\n".join([*TOKENS, "i99"]).encode(),
    "twice the same": "\n".join([*TOKENS[:-1], TOKENS[0]]).encode(),
    "others": "\n".join(f"x{k}" for k in range(ITEMS)).encode(),
    "half of them": "\n".join([*TOKENS[:15], *(f"x{k}" for k in range(15))]).encode(),
    "an empty line": "\n".join([*TOKENS[:5], "", *TOKENS[6:]]).encode(),
    "empty": b"",
    "newlines": b"\n\n\n",
    "zeros": bytes(60),
    "blanks behind": " \n".join(TOKENS).encode(),
    "a long one": "\n".join([*TOKENS[:-1], "x" * 10_000]).encode(),
    "tabs": "\t".join(TOKENS).encode(),
}

SPECS: dict[str, dict[str, Any]] = {
    "a text column": {"source": "text", "fields": "title", "dim": 4},
    "a column that is not there": {"source": "text", "fields": "titel"},
    "a column of numbers": {"source": "text", "fields": "price"},
    "the id": {"source": "text", "fields": "item_id"},
    "no column": {"source": "text", "fields": []},
    "a column twice": {"source": "text", "fields": ["title", "title"]},
    "columns that are numbers": {"source": "text", "fields": [1, 2]},
    "many needed": {"source": "text", "fields": "title", "min_df": 1000},
    "n-grams turned": {"source": "text", "fields": "title", "ngram_min": 3, "ngram_max": 2},
    "n-grams of tokens": {"source": "text", "fields": "title", "analyzer": "token", "ngram_max": 2},
    "dim 0": {"source": "text", "fields": "title", "dim": 0},
    "a huge dim": {"source": "text", "fields": "title", "dim": 10**9},
    "multi-hot": {"source": "multi_hot", "fields": "title"},
    "multi-hot of nothing": {"source": "multi_hot", "fields": "nothing"},
    "multi-hot of many": {"source": "multi_hot", "fields": "title", "min_df": 99},
    "no such file": {"source": "npy", "file": "nowhere.npy"},
    "a folder": {"source": "npy", "file": "."},
    "a file above": {"source": "npy", "file": "../../x.npy"},
    "a zero byte": {"source": "npy", "file": "a\x00b"},
    "a wrong key": {"source": "npy", "fiel": "x"},
    "a wrong source": {"source": "numpy"},
    "preload without options": {"source": "preload", "id_field": "iid"},
    "mmrec": {"source": "mmrec", "file": "toy.visual.npy"},
    "mmrec, raw": {"source": "mmrec", "file": "toy.visual.npy", "id": "raw"},
    "mmrec, nowhere": {"source": "mmrec", "file": "toy.visual.npy", "dir": "nowhere"},
    "mmrec, no mapping": {
        "source": "mmrec", "file": "toy.visual.npy", "id": "raw", "mapping": "toy.inter",
    },
}  # fmt: skip


def _case(kind: str, text: str, files: dict[str, bytes], spec: dict[str, Any], model: str) -> Case:
    def act(folder: Path) -> str:
        options = {"ood": None, "modalities": {"visual": spec}}
        prepare_toy(folder, model, options).dataset.item_features()
        return ""

    def prepare(folder: Path) -> None:
        write(folder, {suffix: table.data() for suffix, table in WHOLE.items()})
        for name, data in files.items():
            (folder / NAME / f"{NAME}.{name}").write_bytes(data)

    return Case(kind, f"{text} ({model})", act, prepare, ("visual", "fields", NAME))


def matrix_case(matrix: str, tokens: str, model: str = MODELS[0]) -> Case:
    """Give a matrix with a list of items."""
    files = {"visual.npy": MATRICES[matrix], "item_tokens.txt": LISTS[tokens]}
    return _case("feature matrices", f"{matrix}, list {tokens}", files, {"source": "npy"}, model)


def _bytes_case(change: tuple[str, Callable[[bytes], bytes]], of_list: bool, model: str) -> Case:
    files = {
        "visual.npy": MATRICES["as it should be"],
        "item_tokens.txt": LISTS["as it should be"],
    }
    name = "item_tokens.txt" if of_list else "visual.npy"
    files[name] = change[1](files[name])
    text = f"{name} {change[0]}"
    return _case("bytes of features", text, files, {"source": "npy"}, model)


def _spec_case(name: str, model: str) -> Case:
    files = {"visual.npy": MATRICES["as it should be"]}
    return _case("sources of features", name, files, SPECS[name], model)


def kinds() -> dict[str, st.SearchStrategy[Case]]:
    """Return the strategies, by kind of mistake."""
    from tests.fuzz.tables import byte_changes

    models = st.sampled_from(MODELS)
    fine = st.just("as it should be")
    lists, matrices = st.sampled_from(list(LISTS)), st.sampled_from(list(MATRICES))
    return {
        "feature matrices": st.builds(matrix_case, matrices, fine | lists, models)
        | st.builds(matrix_case, fine, lists, models),
        "bytes of features": st.builds(_bytes_case, byte_changes(), st.booleans(), models),
        "sources of features": st.builds(_spec_case, st.sampled_from(list(SPECS)), models),
    }

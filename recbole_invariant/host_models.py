"""RecBole's own models: their names, and what some of them need that RecBole does not bring."""

import re
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from recbole_invariant.configuration.folders import host_folder
from recbole_invariant.errors import InputError

NEEDED_LIBRARY: dict[str, tuple[str, str]] = {
    "NCL": ("faiss", "pip install faiss-cpu"),
    "KGAT": ("dgl", "pip install dgl"),
    "KGIN": ("torch_scatter", "pip install torch-scatter"),
    "MCCLK": ("torch_scatter", "pip install torch-scatter"),
    "XGBoost": ("xgboost", "pip install xgboost"),
    "LightGBM": ("lightgbm", "pip install lightgbm"),
}
"""Model -> the library that RecBole imports for it without requiring it, and how to get it."""

NEEDED_FILE: dict[str, str] = {
    "GRU4RecKG": "pretrained entity vectors, columns `ent_id:token` and `ent_emb:float_seq`",
    "KSR": "pretrained entity vectors, columns `ent_id:token` and `ent_emb:float_seq`",
}
"""Model -> what its `<dataset>.ent` file holds, which no dataset of RecBole's has."""


@lru_cache(maxsize=1)
def host_model_modules() -> dict[str, str]:
    """Return RecBole's model names with the module of each, without importing any.

    RecBole finds a model as the class whose name in lower case is the name of its file.
    """
    found = {}
    for path in sorted((host_folder() / "model").glob("*_recommender/*.py")):
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            if name.lower() == path.stem:
                found[name] = f"recbole.model.{path.parent.name}.{path.stem}"
    return found


def host_model_class(name: str) -> type[Any]:
    """Import one of RecBole's models.

    Raises:
        InputError: if it needs a library that is not installed.
    """
    library, command = NEEDED_LIBRARY.get(name, ("torch", ""))
    if find_spec(library) is None:
        raise InputError(
            f"model '{name}' of RecBole needs the library '{library}', which RecBole does not "
            f"bring. Run: {command}"
        )
    module = import_module(host_model_modules()[name])
    return getattr(module, name)

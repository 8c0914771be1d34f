"""Where item features come from; one file a source.

Each source has `KEYS`, the keys of its spec, and `read(spec, context) -> TokenFeatures`.
"""

from types import ModuleType

from recbole_invariant.data.modality_sources import mmrec, multi_hot, npy, preload, text

SOURCES: dict[str, ModuleType] = {
    "npy": npy,
    "preload": preload,
    "text": text,
    "multi_hot": multi_hot,
    "mmrec": mmrec,
}

"""Keep quiet about RecBole's outdated calls: its user can do nothing about them."""

import warnings

HOST_MODULES = r"recbole\."
HARMLESS = (
    "The given NumPy array is not writable",  # Host tensors share frames nobody writes to.
    "torch.sparse.SparseTensor",  # A deprecation that torch announces as a plain UserWarning.
)


def silence_host_warnings() -> None:
    """Hide deprecation warnings raised by RecBole's own lines, and by no other code."""
    from pandas.errors import ChainedAssignmentError  # type: ignore[attr-defined]

    # ChainedAssignmentError: the host's in-place fills, which other mends make unnecessary.
    for category in (DeprecationWarning, FutureWarning, ChainedAssignmentError):
        warnings.filterwarnings("ignore", category=category, module=HOST_MODULES)
    for message in HARMLESS:
        warnings.filterwarnings(
            "ignore", message=message, category=UserWarning, module=HOST_MODULES
        )

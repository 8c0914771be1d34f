"""What `benchmarks/planted_shift.py` knows by name: worlds, settings, and lines of tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_invariant.errors import InputError, suggest

BASELINE = "UltraGCNF"
ORACLE = "PaInvRL[mask_source=oracle]"

GATE_ALONE = "PaInvRL[outer_iterations=0,mask_init=1.0]"
"""No mask is learned: it stays at 1, and the stability gate is all that there is."""

STRONG: dict[str, Any] = {"style_strength": 2.5}
SHARED: dict[str, Any] = {"style_spread": 0.0}
NO_SPURIOUS: dict[str, Any] = {"spurious_dims": 0, "noise_dims": 22, "style_strength": 0.0}

WORLDS: dict[str, dict[str, Any]] = {
    "flip": {},
    "user-level": {"environment_level": "user"},
    "environments-2": {"shares": (0.5, 0.5)},
    "environments-5": {"shares": (0.3, 0.25, 0.2, 0.15, 0.1)},
    "weak": {"style_strength": 0.75},
    "strong": STRONG,
    "shared": SHARED,
    "strong-shared": {**STRONG, **SHARED},
    # 2 rows an item instead of 20
    "catalogue": {"items": 8000},
    # 6 rows an item
    "catalogue-users": {"items": 8000, "users": 2400},
    "no-spurious": NO_SPURIOUS,
    "two-tastes": {"tastes": 2, "style_strength": 0.0},
}
"""World -> what differs from the defaults of `PlantedOptions`."""

SETTINGS: dict[str, tuple[Path, ...]] = {
    "own": (),
    "C": (Path(__file__).with_name("settings") / "decay-c.yaml",),
}
"""Setting -> files of options above dataset_configs/planted.yaml."""

LINES: dict[str, tuple[str, ...]] = {
    "short": (BASELINE, "PaInvRL", ORACLE),
    "headline": (
        BASELINE,
        "PaInvRL",
        "PaInvRL[environment_source=random]",
        "PaInvRL[environment_source=true]",
        "PaInvRL[stability_gate=false]",
        GATE_ALONE,
        "PaInvRL[mask_source=uniform]",
        "PaInvRL[irm_weight=0]",
        "PaInvRL[variant=paper]",
        "InvRL",
        "InvRL[identification=experts]",
        "InvRL[environment_source=true]",
        ORACLE,
    ),
    "gate": (
        BASELINE,
        "PaInvRL",
        "PaInvRL[gate_smoothing=false]",
        "PaInvRL[gate_floor=0.2]",
        "PaInvRL[pareto_norm=l2]",
        "PaInvRL[stability_gate=false]",
        GATE_ALONE,
        ORACLE,
    ),
    "reference": (BASELINE, "PaInvRL", "PaInvRL[reference_selection=likelihood]", ORACLE),
    # the paper's Table 3: one risk alone, and both
    "risks": (BASELINE, "PaInvRL[pareto=erm]", "PaInvRL[pareto=irm]", "PaInvRL", ORACLE),
    # the paper's Figure 4; dataset_configs/planted.yaml has 3
    "environments": (
        BASELINE,
        "PaInvRL[n_environments=2]",
        "PaInvRL",
        "PaInvRL[n_environments=5]",
        "PaInvRL[n_environments=10]",
        ORACLE,
    ),
}
"""Name -> lines of a table, as `compare --models` takes them; each has baseline and oracle."""


def chosen(option: str, name: str, known: Mapping[str, Any]) -> Any:
    """Look a name up.

    Raises:
        InputError: there is no such name.
    """
    if name not in known:
        raise InputError(
            f"--{option}: expected one of {', '.join(known)}, not '{name}'.{suggest(name, known)}"
        )
    return known[name]


def parse_seed_list(text: str) -> list[int]:
    """Read `13-22`, `0,1,2` or `0-2,7`.

    Returns:
        The seeds, each once, in the order given.

    Raises:
        InputError: something else is given.
    """
    seeds: list[int] = []
    for part in text.strip("[] ").split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not (last.isdecimal() and int(last) >= int(first))):
            raise InputError(f"--seeds: expected seeds >= 0 such as 0,1,2 or 13-22, not '{text}'.")
        seeds += range(int(first), int(last or first) + 1)
    if len(set(seeds)) < len(seeds):
        raise InputError(f"--seeds: '{text}' names a seed twice.")
    return seeds


def differences(options: Mapping[str, Any]) -> Sequence[str]:
    """Write a world's options as `planted` takes them, e.g. `--shares=[0.5,0.5]`."""
    return [
        f"--{name}=[{','.join(map(str, value))}]"
        if isinstance(value, tuple)
        else f"--{name}={value}"
        for name, value in options.items()
    ]

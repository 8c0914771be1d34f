"""Quality of every model on real data, IID and out of distribution, as one Markdown page.

    python benchmarks/quality.py --datasets ml-100k tiktok --seeds 3 --out docs/results.md

Each data set and protocol is one run of PaInvRL with the others as baselines on the same split,
with the options of dataset_configs. Runs that are done are read from `--output_dir`, not
repeated; with `--report` nothing is run, and the page shows whatever seeds are done. Options were
chosen on validation; the tests are opened here.
"""

import argparse
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scipy import stats
from tabulate import tabulate

import recbole_invariant as ri

BASELINES = ["Pop", "BPR", "LightGCN", "UltraGCN", "UltraGCNF", "InvRL"]
MODEL = "PaInvRL"
METRICS = ["recall@10", "ndcg@10", "precision@10", "recall@20", "ndcg@20", "precision@20"]
Records = dict[str, list[dict[str, Any]]]


def records_of(arguments: argparse.Namespace, dataset: str, protocol: str) -> Records:
    """Run what is missing; return the record of every model and seed."""
    found: Records = {}
    for seed in seeds_of(arguments, dataset, protocol):
        name = f"{dataset}-{protocol}-{seed}"
        folder = Path(arguments.output_dir) / name
        if not (folder / "table.md").exists():
            options: dict[str, Any] = {
                "ood": protocol,
                "seed": seed,
                "baselines": BASELINES,
                "show_progress": False,
                "torch_threads": arguments.threads,
            }
            if arguments.data_path and dataset != "ml-100k":
                options["data_path"] = arguments.data_path
            ri.run(MODEL, dataset, options, output_dir=arguments.output_dir, run_name=name)
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        paths = {label: folder / path for label, path in record["baselines"].items()}
        paths[MODEL] = folder
        if record["control"]:
            paths[f"{MODEL}, random control"] = folder / record["control"]
        for label, path in paths.items():
            if not (path / "run.json").exists():  # removed to be run again
                continue
            content = json.loads((path / "run.json").read_text(encoding="utf-8"))
            found.setdefault(label, []).append(content)
    return found


def seeds_of(arguments: argparse.Namespace, dataset: str, protocol: str) -> list[int]:
    """List the seeds that were asked for, or with `--report` those that are done."""
    if not arguments.report:
        return list(range(arguments.first_seed, arguments.first_seed + arguments.seeds))
    done = Path(arguments.output_dir).glob(f"{dataset}-{protocol}-*/table.md")
    return sorted(int(path.parent.name.rsplit("-", 1)[1]) for path in done)


def interval(values: Iterable[float]) -> str:
    """Mean, and half the width of its 95 % interval where there is more than one value."""
    values = list(values)
    mean = sum(values) / len(values)
    if len(values) < 2:
        return f"{mean:.4f}"
    spread = float(stats.tstd(values)) / math.sqrt(len(values))
    return f"{mean:.4f} ± {float(stats.t.ppf(0.975, len(values) - 1)) * spread:.4f}"


def test_table(records: Records, test: str) -> str:
    """Make the table of one test set; the control's own shifted test stands for `ood_...`."""
    rows = []
    for label, runs in records.items():
        names = [n for n in runs[0]["metrics"] if n.startswith(test.split("_")[0])]
        name = test if test in names else names[0]
        values = [interval(run["metrics"][name][m] for run in runs) for m in METRICS]
        seconds = sum(sum(s["seconds"] for s in run["stages"]) for run in runs) / len(runs)
        rows.append([label, *values, f"{seconds:.0f}"])
    return tabulate(rows, headers=["model", *METRICS, "training, s"], tablefmt="github")


def section(dataset: str, protocol: str, records: Records) -> str:
    """Write the section of a data set and protocol."""
    record = records[MODEL][0]
    seeds = [run["seed"] for run in records[MODEL]]
    rows = ", ".join(f"{part} {n}" for part, n in record["n_interactions"].items())
    lines = [f"## {dataset}, protocol `{protocol}`", ""]
    lines += [f"Seeds {seeds}; interactions of the first: {rows}. {record['selection']['rule']}."]
    if record.get("shift"):
        shift = record["shift"]
        says = "is" if shift["is_shift"] else "is not"
        lines += [
            f"By the random control this {says} a shift: the gap of {MODEL} in {shift['metric']} "
            f"from iid to the shifted test is {shift['gap']:.3f} here and "
            f"{shift['control_gap']:.3f} on the random split (95 % interval of the difference "
            f"{shift['low']:.3f} to {shift['high']:.3f}, first seed)."
        ]
    for test in [name for name in record["metrics"] if name != "valid"]:
        lines += ["", f"### {test}", "", test_table(records, test)]
    return "\n".join(lines)


def main() -> None:
    """Run, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=["ml-100k"])
    parser.add_argument("--protocols", nargs="+", default=["popularity", "environment"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first_seed", type=int, default=100)
    parser.add_argument("--report", action="store_true", help="write the page only")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data_path", help="folder of the data sets other than ml-100k")
    parser.add_argument("--output_dir", default="runs/quality")
    parser.add_argument("--out", default="docs/results.md")
    arguments = parser.parse_args()
    sections = {
        (dataset, protocol): records_of(arguments, dataset, protocol)
        for dataset in arguments.datasets
        for protocol in arguments.protocols
    }
    parts = [section(*names, records) for names, records in sections.items() if records]
    names, protocols = " ".join(arguments.datasets), " ".join(arguments.protocols)
    title = (
        "# Results\n\nWritten by `python benchmarks/quality.py "
        f"--datasets {names} --protocols {protocols}`, never by hand. Full ranking; the mean over "
        "seeds, with the 95 % interval of the mean where there are several seeds. With few seeds "
        "small differences mean nothing. Options of each model: dataset_configs, chosen on "
        "validation of another seed; the tests were opened once. Training times were taken on two "
        "shared cores, one thread a run."
    )
    Path(arguments.out).write_text("\n\n".join([title, *parts]) + "\n", encoding="utf-8")
    print(f"{arguments.out} written")


if __name__ == "__main__":
    main()

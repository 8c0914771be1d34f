"""Bad input, searched for: the strategies of tests/fuzz with many more examples.

    python -m benchmarks.fuzz --examples 200

Prints a row a kind of input: cases tried, refused with one message, accepted, and the faults, which
must all be 0: tracebacks, hangs, files left behind by what was refused, input read as something
else than what stands there, and refusals that do not name what is wrong. Ends with 1 where there
was a fault, each of which is listed.
"""

import argparse
import time
import warnings
from collections import Counter
from importlib import import_module

from tabulate import tabulate

from tests.fuzz.attempts import ACCEPTED, FAULTS, REFUSED
from tests.fuzz.trials import faults, try_cases

SUBJECTS = ("option_cases", "text_cases", "atomic_cases", "feature_cases", "folder_cases")
"""Modules of tests/fuzz with `kinds()`."""


def main() -> int:
    """Try everything and print the table; 1 where there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="cases of each kind at most")
    parser.add_argument("--only", default="", help="kinds whose name holds this text")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    rows, found, begun = [], [], time.perf_counter()
    for subject in SUBJECTS:
        for kind, strategy in import_module(f"tests.fuzz.{subject}").kinds().items():
            if given.only not in kind:
                continue
            tried = try_cases(strategy, given.examples)
            counts = Counter(outcome.kind for _, outcome in tried)
            columns = (REFUSED, ACCEPTED, *FAULTS)
            rows.append([kind, len(tried), *(counts[column] for column in columns)])
            found += faults(tried)
            print(f"{kind}: {len(tried)} cases", flush=True)
    total = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
    rows.append(["all", *total])
    print("\n" + tabulate(rows, ["kind", "cases", REFUSED, ACCEPTED, *FAULTS], tablefmt="github"))
    print(f"\n{time.perf_counter() - begun:.0f} s")
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())

"""Train and evaluate a model, or run a sub-command; the same program as `recbole-inv`."""

import sys

from recbole_invariant.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

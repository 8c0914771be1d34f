# make run       train PaInvRL and its baselines on ml-100k and print the table
# make test      style, types, tests
# make coverage  the tests once more, with the lines that they miss; half as slow again
# All make the virtual environment first if it is not there.
# For a GPU, put your own build of torch into $(VENV) first; it is then left alone.

VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH ?= torch==2.13.0

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test coverage

run: $(STAMP)
	$(BIN)/python run_recbole_inv.py --model PaInvRL --baselines=Pop,UltraGCN,UltraGCNF

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers auto
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

coverage: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --cov --cov-report=term

# what is never imported need not be compiled, and today's pip is twice as fast as that of Python 3.11
$(STAMP): setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/python -m pip install --no-compile $(TORCH)
	$(BIN)/python -m pip install --no-compile -e ".[dev]"
	$(BIN)/python -m pip install --no-compile --no-deps recbole==1.2.1
	touch $@

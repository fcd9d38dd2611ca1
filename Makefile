# SPDX-License-Identifier: Apache-2.0
# Every target sets up .venv first; a second run starts at once.
PYTHON ?= python3
PIP_FLAGS ?=
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test check reports bench clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "a2q_hls: Python >= 3.10 is needed; set PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "a2q_hls: installing into $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e ".[dev]"
	@touch $@

demo: $(READY)
	$(BIN)/a2q-hls demo --out runs/demo

test: check
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest sw_tests/test_layering.py sw_tests/test_house.py

reports: $(READY)
	$(BIN)/a2q-hls sweep configs/digits_grid.yaml --out runs/digits --report reports/digits
	$(BIN)/a2q-hls sweep configs/digits_folds_grid.yaml --out runs/digits_folds --report reports/digits_folds

bench: $(READY)
	@$(BIN)/python -c 'import da4ml, brevitas' 2>/dev/null || \
	  $(BIN)/python -m pip install -q --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e ".[dev,peers]"
	$(BIN)/python bench/adders.py
	$(BIN)/python bench/simulators.py
	cd bench && ../$(BIN)/python oracle.py && ../$(BIN)/python -W ignore quantizers.py

clean:
	rm -rf runs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

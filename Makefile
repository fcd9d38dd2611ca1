# SPDX-License-Identifier: Apache-2.0
# Every target sets up .venv first; a second run starts at once.
PYTHON ?= python3
PIP_FLAGS ?=
JOBS ?= 2
DATA ?= data
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test check docs reports data-reports bench clean

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

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "docs: site/index.html"

reports: $(READY)
	$(BIN)/a2q-hls sweep configs/digits_grid.yaml --out runs/digits --report reports/digits
	$(BIN)/a2q-hls sweep configs/digits_folds_grid.yaml --out runs/digits_folds --report reports/digits_folds
	$(BIN)/a2q-hls study configs/studies/digits.yaml --report reports/digits_methods --jobs $(JOBS)

data-reports: $(READY)
	$(BIN)/a2q-hls study configs/studies/bsd300.yaml \
	  --data bsd300:$(DATA) --report reports/bsd300 --jobs $(JOBS)
	$(BIN)/a2q-hls study configs/studies/bsd300_unet.yaml \
	  --data bsd300_cropped:$(DATA) --report reports/bsd300_unet --jobs $(JOBS)
	$(BIN)/a2q-hls study configs/studies/fashion_mnist.yaml \
	  --data fashion_mnist:$(DATA) --report reports/fashion_mnist --jobs $(JOBS)
	for network in resnet18 mobilenetv1; do \
	  $(BIN)/a2q-hls study configs/studies/cifar10_reduced_$$network.yaml --data cifar10:$(DATA) \
	    --report reports/cifar10_reduced_$$network --jobs $(JOBS) || exit; \
	done
	$(BIN)/a2q-hls study configs/studies/fashion_mnist_hardware.yaml --data fashion_mnist:$(DATA)
	$(BIN)/a2q-hls hardware configs/hardware/fashion_mnist.yaml \
	  --report reports/hardware_fashion_mnist --jobs $(JOBS)
	$(BIN)/python bench/test_set.py runs/hardware_fashion_mnist/a2qplus_p10_*/points/cheapest7056_exact \
	  fashion_mnist:$(DATA)
	for network in resnet18 mobilenetv1; do \
	  $(BIN)/a2q-hls study configs/studies/cifar10_$${network}_hardware.yaml --data cifar10:$(DATA) || exit; \
	  $(BIN)/a2q-hls hardware configs/hardware/cifar10_$$network.yaml \
	    --report reports/hardware_cifar10_$$network --jobs $(JOBS) || exit; \
	done
	$(BIN)/a2q-hls study configs/studies/bsd300_hardware.yaml --data bsd300:$(DATA)
	$(BIN)/a2q-hls hardware configs/hardware/bsd300.yaml \
	  --report reports/hardware_bsd300 --jobs $(JOBS)
	$(BIN)/a2q-hls study configs/studies/bsd300_unet_hardware.yaml --data bsd300_cropped:$(DATA)
	$(BIN)/a2q-hls hardware configs/hardware/bsd300_unet.yaml \
	  --report reports/hardware_bsd300_unet --jobs $(JOBS)
	$(BIN)/a2q-hls upscale runs/hardware_bsd300/a2qplus_p10_* $(DATA)/bsd300/test/103070.jpg \
	  $(DATA)/bsd300/test/101085.jpg --report reports/upscale_bsd300
	models=$$($(BIN)/python -c 'import qonnx; print(qonnx.__path__[0])')/data/onnx/bsd300x3-espcn && \
	$(BIN)/a2q-hls import $$models/subpixel/quant_model.onnx --inputs 0:255:0.00392156862745098 \
	  --samples $$models/test_data/input_0.pb --out runs/espcn_public
	$(BIN)/a2q-hls hardware configs/hardware/bsd300_espcn_public.yaml \
	  --report reports/hardware_bsd300_espcn_public --jobs $(JOBS)

bench: $(READY)
	@$(BIN)/python -c 'import da4ml, brevitas' 2>/dev/null || \
	  $(BIN)/python -m pip install -q --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e ".[dev,peers]"
	$(BIN)/python bench/adders.py
	$(BIN)/python bench/thresholds.py
	$(BIN)/python bench/scales.py
	$(BIN)/python bench/roms.py
	$(BIN)/python bench/finn.py
	$(BIN)/python -W ignore bench/zoo.py
	$(BIN)/python -W ignore bench/full_width.py
	$(BIN)/python bench/simulators.py
	$(BIN)/python bench/synthesis.py
	cd bench && ../$(BIN)/python oracle.py && ../$(BIN)/python -W ignore training_step.py

clean:
	rm -rf runs build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis

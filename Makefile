# Two commands need no set-up of their own: make demo, make test.
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed
KERNELS := $(wildcard ext/haiflow/kernels/*.px*)

.PHONY: demo test test-all bench lint types ext debug-kernels clean system

demo: $(STAMP)
	$(BIN)/haiflow run examples/baseline.yaml -o runs/baseline --force
	@echo "The report lies at runs/baseline/report.html"

test: $(STAMP) lint types debug-kernels
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-all: $(STAMP) lint types debug-kernels
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[viz,tables,dev,mesh,movie]" || echo "no gmsh here: its tests are skipped"
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "slow or not slow"

bench: $(STAMP)
	$(BIN)/python -m benchmarks -t

lint: $(STAMP)
	$(BIN)/ruff check .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cython-lint ext
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

# The kernel tests once more on a build with bounds checks; it lives apart from the fast one.
debug-kernels: $(STAMP)
	HAIFLOW_DEBUG=1 $(BIN)/python setup.py -q build --build-base build/debug --build-lib build/debug/lib
	PYTHONPATH=build/debug/lib $(BIN)/python -m pytest tests/kernels

ext: $(STAMP)
	$(BIN)/python setup.py -q build_ext --inplace

system:
	@sh .ci/system

$(STAMP): pyproject.toml setup.py $(KERNELS)
	@sh .ci/system
	@sh .ci/venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[viz,tables,dev]"
	@touch $@

clean:
	rm -rf build $(VENV) runs src/haiflow.egg-info
	find src -name '*.so' -delete

# Two commands need no set-up of their own: make demo, make test.
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed
KERNELS := $(wildcard ext/haiflow/kernels/*.px*)

.PHONY: demo test test-all bench docs lint types ext debug-kernels sanitised-kernels fuzz mutants coverage clean system

demo: $(STAMP)
	$(BIN)/haiflow run examples/baseline.yaml -o runs/baseline --force
	@echo "The report lies at runs/baseline/report.html"

test: $(STAMP) lint types debug-kernels
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-all: $(STAMP) lint types debug-kernels
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[viz,tables,dev,mesh,movie]" || echo "no gmsh here: its tests are skipped"
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "slow or not slow"

bench: $(STAMP)
	$(BIN)/python -m benchmarks -t --history

# The site, into build/site; a warning fails it. Pictures are those of docs/make_gallery.py.
docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --clean --quiet

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

# And on a build with the address and undefined-behaviour sanitisers (gcc or clang). Python itself leaks by design.
sanitised-kernels: $(STAMP)
	HAIFLOW_SANITISE=1 $(BIN)/python setup.py -q build --build-base build/sanitised --build-lib build/sanitised/lib
	LD_PRELOAD="$$($${CC:-cc} -print-file-name=libasan.so) $$($${CC:-cc} -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 HAIFLOW_SANITISED=1 PYTHONPATH=build/sanitised/lib \
	$(BIN)/python -m pytest -p no:cacheprovider tests/kernels

# Branches of the Python code that the default tests go through, in child processes too. With every extra that can be
# had: a test that is skipped covers nothing. What was covered is told where a test failed, too.
coverage: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "coverage>=7.11"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[viz,tables,dev,mesh,movie]" || echo "no gmsh here: its tests are skipped"
	mkdir -p build/coverage && rm -f build/coverage/.coverage*
	$(BIN)/coverage run -m pytest -n 2 --dist worksteal; ended=$$?; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report --skip-covered --sort=cover && \
	$(BIN)/coverage json --quiet -o build/coverage/coverage.json && $(BIN)/python -c "import json; \
	t = json.load(open('build/coverage/coverage.json'))['totals']; print(f\"branches alone: {t['covered_branches']} of \" \
	f\"{t['num_branches']}, {100 * t['covered_branches'] / t['num_branches']:.1f} %\")" && exit $$ended

# Fifty defects, one at a time, and whether the default tests see them: hours; python -m mutants --help.
mutants: $(STAMP)
	$(BIN)/python -m mutants

# 20,000 inputs that nobody would give, an hour on one core: python -m fuzz --help.
fuzz: $(STAMP)
	$(BIN)/python -m fuzz 20000

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

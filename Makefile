# Every command makes the virtual environment it needs, once. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
# more arguments for the installation of torch, e.g. where to find its CPU build
TORCH_ARGS ?=
# set to 1 to accept a CUDA build of torch, which is several gigabytes
ALLOW_CUDA ?=
WORKERS ?= 2
# of `make mutants`: another one draws others
SEED ?= 0
SPHINXOPTS ?= -W --keep-going

TORCH := torch==2.13.0
EXTRAS := test,progress
# not with the oldest releases: there, loops run as they do without a compiler
COMPILED := forest
BIN = $(VENV)/bin
PIP_QUIET := -qq --disable-pip-version-check
PATHS := sklearn_unlearn tests examples benchmarks docs build_tools
# what is type-checked
TYPED := $(addprefix sklearn_unlearn/,dropout _engine exceptions.py rows)

# two workers on two cores: more threads in each would only fight
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# $(1) folder, $(2) constraints: a virtual environment with torch. torch comes first and
# alone, so that nothing else can choose its build; what pip would take is looked at
# before anything is downloaded.
define new_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Python 3.11 or newer is needed: make PYTHON=..."; exit 1; }
	@echo "$(1): making a virtual environment; this takes some minutes"
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	@$(1)/bin/pip install $(PIP_QUIET) --dry-run --report $(1)/torch.json \
	$(TORCH_ARGS) -c $(2) $(TORCH)
	@if test -z "$(ALLOW_CUDA)" && grep -q '"name": "nvidia-' $(1)/torch.json; then \
	echo "pip would install a CUDA build of torch. Say where the CPU build is with"; \
	echo "make TORCH_ARGS='--index-url ...' (see https://pytorch.org/get-started),"; \
	echo "or accept it with make ALLOW_CUDA=1"; \
	exit 1; fi
	@$(1)/bin/pip install $(PIP_QUIET) $(TORCH_ARGS) -c $(2) $(TORCH)
endef

.PHONY: help demo test test-slow test-sklearn test-weekly test-min mutants lint format \
	types docs dist bench clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | \
	sed -E 's/^([a-z-]+):.*## /\1\t/' | \
	awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

demo: $(VENV)/.installed  ## the main job on real data: a table and a figure
	$(BIN)/python benchmarks/demo.py

test: $(VENV)/.installed  ## the tests
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-slow: $(VENV)/.installed  ## the slow tests alone; once a week
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m slow \
	|| test $$? -eq 5  # 5: there is none yet

test-sklearn: $(VENV)/.installed  ## scikit-learn's own tests, with our classes
	$(ONE_THREAD) $(BIN)/python build_tools/sklearn_pipeline_tests.py
	$(ONE_THREAD) $(BIN)/python build_tools/sklearn_mlp_tests.py

test-weekly: $(VENV)/.installed  ## many random programs of requests; once a week
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal \
	--hypothesis-profile weekly -m "slow or not slow" tests/test_contract_machine.py

mutants: $(VENV)/.installed  ## change the package at random: do the tests notice?
	$(BIN)/python build_tools/mutants.py record --workers $(WORKERS)
	$(BIN)/python build_tools/mutants.py run --workers $(WORKERS) --seed $(SEED)

test-min: $(VENV)-min/.installed  ## the tests with the oldest supported releases
	$(ONE_THREAD) $(VENV)-min/bin/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(VENV)/.installed  ## style and format
	$(BIN)/ruff check $(PATHS)
	$(BIN)/ruff format --check $(PATHS)

format: $(VENV)/.installed  ## repair style and format where that is safe
	$(BIN)/ruff check --fix $(PATHS)
	$(BIN)/ruff format $(PATHS)

types: $(VENV)/.installed  ## static types
	$(BIN)/mypy $(TYPED)

docs: $(VENV)/.installed-docs  ## the documentation with its gallery
	$(BIN)/python -m sphinx -b html $(SPHINXOPTS) docs docs/_build/html
	@echo "open docs/_build/html/index.html"

dist: $(VENV)/.installed  ## build, check, and import all of the built wheel
	rm -rf dist $(VENV)-dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*
	$(call new_venv,$(VENV)-dist,constraints.txt)
	$(VENV)-dist/bin/pip install $(PIP_QUIET) -c constraints.txt dist/*.whl
	$(VENV)-dist/bin/python -I build_tools/check_wheel.py

bench: $(VENV)/.installed  ## the benchmarks: ours beside what one would pick instead
	@for script in $(filter-out benchmarks/demo.py,$(wildcard benchmarks/[a-z]*.py)); do \
	echo "$$script"; $(BIN)/python $$script || exit 1; done

clean:  ## remove all that these commands have made
	rm -rf $(VENV) $(VENV)-min $(VENV)-dist dist docs/_build docs/api.rst \
	docs/auto_examples docs/generated docs/gen_modules \
	.mypy_cache .pytest_cache .ruff_cache .hypothesis .mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# the stamps are newer than what they were made from, so that a second call is instant
$(VENV)/.installed: pyproject.toml constraints.txt
	$(call new_venv,$(VENV),constraints.txt)
	@$(BIN)/pip install $(PIP_QUIET) -c constraints.txt -e ".[$(EXTRAS),$(COMPILED)]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	@$(BIN)/pip install $(PIP_QUIET) -c constraints.txt -e ".[docs]"
	@touch $@

$(VENV)-min/.installed: pyproject.toml constraints-min.txt
	$(call new_venv,$(VENV)-min,constraints-min.txt)
	@$(VENV)-min/bin/pip install $(PIP_QUIET) -c constraints-min.txt -e ".[$(EXTRAS)]"
	@touch $@

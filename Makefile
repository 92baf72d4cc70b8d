# make study   install what the studies need, run the `digits` study, write results/report.html
# make test    install what the tests need, run them; make test-slow runs those that take more than ten seconds each
# make test-backends   the tests of the optimizers on JAX and on torch, and of replicas on JAX, without those marked slow
# make test-oldest   the tests, and those on JAX and on torch, with the oldest versions that setup.cfg allows
# make lint    format, lint and types; make types: types alone
# make docs    build the documentation in site/
# make release   the wheel and the source archive for PyPI, in dist/
# make check   what CI runs: make test, test-backends, lint, and an import of the built wheel in an environment of its own
# Needs Python >= 3.11 with pip. A second call installs nothing again; `make clean` starts afresh.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints.txt
INSTALL := $(BIN)/python -m pip install --constraint $(CONSTRAINTS)
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: study test test-slow test-backends test-jax test-torch test-oldest lint types docs wheel release check clean

study: $(VENV)/studies.installed
	$(BIN)/python -m studies run digits

test: $(VENV)/test.installed
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not slow"

# Keras's tests of its trainers import JAX on every backend.
test-slow: $(VENV)/test.installed $(VENV)/backends.installed $(VENV)/docs.installed $(VENV)/dev.installed
	$(BIN)/python -m pytest --numprocesses auto --dist load -m slow tests

# Keras chooses its backend when it is imported: one process for each. Keras's own tests of optimizers, trainers, saving
# and callbacks are among these, with our classes in the place of Keras's.
OPTIMIZER_TESTS := keras_amsgrad tests/optimizers tests/test_internals.py

test-backends: test-jax test-torch

test-jax: MORE_TESTS := $(addprefix tests/replicas/test_,$(addsuffix .py,replicas chunks continuing program_cache random_state strengths))
test-torch: MORE_TESTS := tests/replicas/test_random_state.py

test-jax test-torch: test-%: $(VENV)/backends.installed
	KERAS_BACKEND=$* $(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not slow" $(OPTIMIZER_TESTS) $(MORE_TESTS)

# The oldest versions that setup.cfg allows, in an environment of their own.
test-oldest:
	$(MAKE) test test-backends VENV=$(VENV)-oldest CONSTRAINTS=constraints-oldest.txt

lint: types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.installed
	$(BIN)/mypy

# Build the wheel and import from it, where nothing of this folder is visible and no other package was installed by hand.
wheel: $(VENV)/dev.installed
	rm -rf dist $(VENV)-wheel
	$(BIN)/python -m build --wheel --outdir dist .
	$(BIN)/python benchmarks/wheel_size.py dist/*.whl
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip install --quiet --constraint constraints.txt "$$(echo dist/*.whl)[tensorflow]"
	$(VENV)-wheel/bin/python -m pip check
	cd / && $(CURDIR)/$(VENV)-wheel/bin/python -c \
		"import keras_amsgrad as k; assert '-wheel' in k.__file__; print('imported', k.__version__, k.AMSGrad().name)"

# Warnings are errors. The page of the published results is made once, from the records, in about five minutes.
REPORT := build/published/report.html

export NO_MKDOCS_2_WARNING := 1

docs: $(VENV)/docs.installed $(REPORT)
	$(BIN)/python -m mkdocs build --strict

$(REPORT): $(wildcard studies/published/records/*) | $(VENV)/docs.installed
	$(BIN)/python studies/published/publish.py --restore $(@D)
	$(BIN)/python -m studies report --out $(@D)

# The wheel and the source archive for PyPI, with absolute links in the long description.
release: $(VENV)/dev.installed
	$(BIN)/python release/build.py

check: test test-backends lint wheel

clean:
	rm -rf $(VENV) $(VENV)-wheel $(VENV)-oldest build dist site *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# pip says which packages it downloads and installs. A few minutes the first time, most of them for TensorFlow.
$(VENV)/%.installed: setup.cfg $(CONSTRAINTS) | $(VENV)/bin/python
	@echo "Installing the packages of [$*] into $(VENV): a few minutes the first time."
	$(INSTALL) --editable ".[$*]"
	@touch $@

# make study   install what the studies need, run the `digits` study, write results/report.html
# make test    install what the tests need, run them; make test-slow runs those that take more than ten seconds each
# make test-backends   the tests of the optimizers on JAX and on torch, and of replicas on JAX (make test-jax, test-torch)
# make lint    format, lint and types; make types: types alone
# make check   what CI runs: all of these tests, lint, and an import of the built wheel in an environment of its own
# Needs Python >= 3.11 with pip. A second call installs nothing again; `make clean` starts afresh.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: study test test-slow test-backends test-jax test-torch lint types wheel check clean

study: $(VENV)/studies.installed
	$(BIN)/python -m studies run digits

test: $(VENV)/test.installed
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not slow"

test-slow: $(VENV)/test.installed
	$(BIN)/python -m pytest --numprocesses auto --dist load -m slow tests

# Keras chooses its backend when it is imported: one process for each.
OPTIMIZER_TESTS := keras_amsgrad $(wildcard $(addprefix tests/test_,$(addsuffix .py,algorithms contract diagnostics \
	distribution fused keras_arguments keras_suite migration optimizers precision rules saving sparse)))

test-backends: test-jax test-torch

test-jax: MORE_TESTS := tests/test_replicas.py tests/test_chunks.py

test-jax test-torch: test-%: $(VENV)/backends.installed
	KERAS_BACKEND=$* $(BIN)/python -m pytest --numprocesses auto --dist loadfile $(OPTIMIZER_TESTS) $(MORE_TESTS)

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
	$(VENV)-wheel/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	$(VENV)-wheel/bin/python -m pip check
	cd / && $(CURDIR)/$(VENV)-wheel/bin/python -c \
		"import keras_amsgrad as k; assert '-wheel' in k.__file__; print('imported', k.__version__, k.AMSGrad().name)"

check: test test-slow test-backends lint wheel

clean:
	rm -rf $(VENV) $(VENV)-wheel build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: setup.cfg constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable ".[$*]"
	touch $@

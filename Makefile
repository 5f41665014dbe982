# make demo: set up and run a search on real images.  make test: set up, lint, types, tests.  make fashion: the study in
# docs/results (two hours on two cores).  All are safe to repeat.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

FASHION := runs/fashion_mnist

.PHONY: demo fashion test slow conformance compatibility docs lint format clean

demo: .venv/demo-ready
	$(BIN)/inception-search search --data digits --trials 70 --train-images 400 --epochs 6 --max-macs 5000000

fashion: .venv/demo-ready
	if test -d $(FASHION); then $(BIN)/inception-search resume $(FASHION); \
	else $(BIN)/inception-search search docs/results/fashion_mnist.yaml --run $(FASHION); fi
	$(BIN)/inception-search finalize $(FASHION) --image-size 14 --train-images 20000 --validation-images 20000 --top 1 --baselines 2 --seeds 20

test: lint
	$(BIN)/python -m pytest -n auto

slow: .venv/test-ready
	$(BIN)/python -m pytest -m slow
	$(BIN)/python -m pytest -m "hypothesis and not gpu" --hypothesis-profile thorough

conformance: .venv/test-ready
	$(BIN)/python -m pytest tests/conformance -m "slow or not slow"

# VERSIONS="2.11 2.14.1" PYTHONS="3.11 3.13" TESTS="tests/torch tests/weights" choose; docs/compatibility.md
compatibility:
	$(PYTHON) tests/compatibility.py --torch "$(VERSIONS)" --python "$(PYTHONS)" --tests "$(TESTS)"

# The site, into build/site: the API reference from the docstrings, the guides, the gallery, the quick start executed.
docs: .venv/docs-ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lint: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/test-ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/demo-ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --editable .
	touch $@

.venv/test-ready: .venv/demo-ready tests/references.txt
	$(PIP) --editable '.[dev]'
	$(PIP) --no-deps --requirement tests/references.txt
	touch $@

.venv/docs-ready: .venv/demo-ready
	$(PIP) --editable '.[docs]'
	touch $@

clean:
	rm -rf .venv .venv-compat

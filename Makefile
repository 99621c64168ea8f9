# Everything runs in a local virtual environment: nothing is needed beforehand but Python, git and make.
PYTHON ?= python3
BIN := .venv/bin
# PyPI has no actionlint that brings its program along; Go's module proxy has its source. It is built as the tests build
# the Go starter: what both need of Go's library is compiled once.
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test suite lint bench clean

.venv/demo: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[all]'
	touch $@

.venv/dev: .venv/demo
	$(BIN)/python -m pip install --quiet --group dev
	$(BIN)/python -m tests.support.golang || $(BIN)/python -m pip install --quiet --group go
	PATH="$(CURDIR)/$(BIN):$$PATH" GOBIN="$(CURDIR)/$(BIN)" CGO_ENABLED=0 GOFLAGS=-trimpath GOTOOLCHAIN=local go install $(ACTIONLINT)
	touch $@

demo: .venv/demo
	$(BIN)/python tests/demo.py

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Side by side: mypy has one processor alone for half a minute, and tests wait for servers a third of their time.
test: .venv/dev
	$(MAKE) --jobs=2 lint suite

suite: .venv/dev
	$(BIN)/pytest -n auto --dist worksteal

bench: .venv/dev
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf .venv .demo build dist

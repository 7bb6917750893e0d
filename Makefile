# Everything below runs in .venv, which make itself builds with `python -m venv` and pip from the
# exact versions in constraints.txt. A stamp inside .venv says what is installed, so that a second
# run starts at once; a change of pyproject.toml or constraints.txt installs again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Both names, because pip 25.3 moved the versions of the build tools to the second.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input install

.NOTPARALLEL: # two pips in one environment would trip over each other
.DELETE_ON_ERROR:
.PHONY: help demo live test test-elsewhere check bench contracts constraints clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo ## replay the bundled history for every preset
	@$(BIN)/steelyard demo

live: $(VENV)/.demo ## run a keeper through a crash, kill it twice, check its books
	@$(BIN)/steelyard keeper demo

test: $(VENV)/.test ## run all tests
	@$(BIN)/python tests/contracts/counterparties/install.py
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8

# The figures in the documentation and in saved runs are those of every processor.
test-elsewhere: $(VENV)/.test ## run the examples of the docs as another processor would
	@$(BIN)/python tests/support/other_processor.py -m pytest --numprocesses auto --maxprocesses 8 \
		tests/docs/test_examples.py tests/docs/test_history_examples.py \
		tests/unit/simulation/test_load_run.py

check: $(VENV)/.check ## check style, types and the direction of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.bench ## measure against the peers, each in the same run
	@status=0; for script in benchmarks/*.py; do \
		echo "== $$script"; $(BIN)/python "$$script" || status=1; \
	done; exit $$status

contracts: $(VENV)/.test ## compile contracts/ into the artifacts that the package ships
	@$(BIN)/python contracts/build.py

clean: ## remove what make made, .venv included
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf tests/contracts/counterparties/node_modules tests/contracts/counterparties/compiled
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The first of $(PYTHON), python3.11, ... that is new enough.
$(VENV)/.made:
	@chosen=; \
	for python in "$(PYTHON)" python3.11 python3.12 python3.13 python3.14; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			chosen=$$python; break; \
		fi; \
	done; \
	if [ -z "$$chosen" ]; then \
		echo "Steelyard needs Python 3.11 or newer, and $(PYTHON) is not:" \
			"install one, or name it as in 'make demo PYTHON=/path/to/python3.11'." >&2; \
		exit 1; \
	fi; \
	echo "making $(VENV) with $$chosen (once, about a minute)"; \
	"$$chosen" -m venv $(VENV) || { \
		echo "$$chosen cannot make an environment; on Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; \
	}
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml constraints.txt
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	@echo "adding the test tools to $(VENV)"
	@$(PIP) --editable '.[test,contracts]'
	@touch $@

$(VENV)/.check: $(VENV)/.demo
	@echo "adding the checkers to $(VENV)"
	@$(PIP) --editable '.[check]'
	@touch $@

$(VENV)/.bench: $(VENV)/.demo
	@echo "adding the benchmarks' peers to $(VENV)"
	@$(PIP) --editable '.[bench]'
	@touch $@

constraints: ## take the newest versions of everything into constraints.txt
	@rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	@build/constraints/bin/python -m pip --quiet --quiet --disable-pip-version-check install \
		'.[test,contracts,check,bench]' hatchling editables
	@{ \
		echo "# The exact versions that make installs: program, contracts, tests, checks and benchmarks."; \
		echo "# Regenerate with \`make constraints\` (Python 3.11), then run \`make check test bench\`."; \
		build/constraints/bin/python -m pip --disable-pip-version-check freeze --exclude steelyard; \
	} > constraints.txt
	@rm -rf build/constraints

# Two commands do everything on a machine with Python 3.11 or newer (with venv) and make:
#   make quickstart   the main job on real data
#   make test         the whole suite
# The first Python that runs and is new enough (a name on the path may be a version manager's shim that does not run).
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 4
EXAMPLES ?= 3000
# What a quickstart makes stays in this folder; `make quickstart-stop` ends and removes it.
QUICKSTART_HOME := $(CURDIR)/.quickstart

.DEFAULT_GOAL := help
.PHONY: help setup quickstart quickstart-stop test test-lowest test-newest as-of-proof no-code-proof cluster cluster-stop lint format types docs docs-site pictures house bench lock clean

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 28

$(VENV)/.installed: requirements-dev.lock Makefile packages/sendoff/pyproject.toml packages/serving/pyproject.toml packages/azureml/pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Sendoff needs Python 3.11 or newer, and python3 on the path is not. Type: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages (uv; pip if uv cannot reach the index)…"
	@grep -A40 '^uv==' requirements-dev.lock | awk 'NR==1 || /^ /{print; next} {exit}' > $(VENV)/uv.lock.txt
	@$(BIN)/python -m pip install --quiet --require-hashes -r $(VENV)/uv.lock.txt 2> $(VENV)/pip.log || { cat $(VENV)/pip.log; exit 1; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock \
		|| $(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e packages/sendoff -e packages/serving
	@touch $@

setup: $(VENV)/.installed  ## Make .venv with the locked packages

quickstart: setup  ## Train, register, deploy and score a model on this machine
	@SENDOFF_HOME="$(QUICKSTART_HOME)" $(BIN)/python examples/quickstart/quickstart.py

quickstart-stop: setup  ## End the quickstart's service and remove its files
	@SENDOFF_HOME="$(QUICKSTART_HOME)" $(BIN)/python examples/quickstart/stop.py
	@rm -rf "$(QUICKSTART_HOME)"

test: setup  ## Run the whole suite
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

# The same with the oldest versions that the bounds allow, and with the newest that there are; each in a folder of its own.
.venv-lowest/.installed .venv-newest/.installed: setup pyproject.toml packages/sendoff/pyproject.toml packages/serving/pyproject.toml
	@$(BIN)/uv venv --quiet --clear --seed --python $(BIN)/python $(@D)
	@$(BIN)/uv pip install --quiet --python $(@D)/bin/python --resolution $(if $(findstring lowest,$@),lowest-direct,highest) \
		-e "packages/sendoff[server,conda,docker,otel,pandas,parquet,profile,s3,azure]" -e packages/serving --group dev --group docs --group examples
	@touch $@

test-lowest: .venv-lowest/.installed  ## Run the suite with the lowest versions that the bounds allow
	@.venv-lowest/bin/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

test-newest: .venv-newest/.installed  ## Run the suite with the newest versions that there are
	@.venv-newest/bin/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

cluster:  ## Start a real Kubernetes for tests, built once (15 minutes; CLUSTER="--metrics --keda")
	@tests/cluster/up $(CLUSTER)

cluster-stop:  ## End the tests' Kubernetes; its programs stay
	@tests/cluster/down

no-code-proof: setup  ## Services without code beside the libraries that trained their models (EXAMPLES=3000)
	@cd tests && ../$(BIN)/python -m no_code.proof $(EXAMPLES)

as-of-proof: setup  ## Build old lists as of their time, and import what they name (half an hour)
	@$(BIN)/python -m pytest -m as_of_proof $(ARGS)

lint: setup  ## Ruff: lint and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup  ## Let ruff put the code in form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: setup  ## mypy, strict
	@$(BIN)/mypy -p sendoff -p sendoff_serving

docs: setup  ## Write the generated pages again
	@$(BIN)/python tools/pages.py

docs-site: setup  ## Make the site of docs/: .site/VERSION, and .site/index.html leads to it
	@$(BIN)/python tools/site_of_docs.py .site

pictures: setup  ## Make the pictures of the tutorial again, from what really happens
	@$(BIN)/python tools/pictures.py

house: setup  ## Draw the rooms and who imports whom into docs/house.svg
	@$(BIN)/python tools/house.py

bench: setup  ## Run the benchmarks; each prints a table with ratios
	@for b in benchmarks/register.py benchmarks/registry.py benchmarks/cli.py benchmarks/deploy benchmarks/serving/throughput.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

lock: setup  ## Resolve requirements-dev.lock anew (docs/decisions/0002-lock-file.md)
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-annotate --custom-compile-command "make lock" --no-emit-package sendoff-ml --no-emit-package sendoff-serving \
		packages/sendoff/pyproject.toml packages/serving/pyproject.toml --extra server --extra conda --extra docker --extra otel --extra pandas --extra parquet --extra profile --extra s3 --extra azure --group dev --group docs --group examples \
		-o requirements-dev.lock

clean: quickstart-stop  ## Remove what make made
	@rm -rf $(VENV) .venv-lowest .venv-newest .cache .site .mypy_cache .ruff_cache .pytest_cache

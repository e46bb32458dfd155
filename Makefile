# Everything runs in .venv, which the first target that needs it makes (PYTHON=... picks a Python).
BIN := .venv/bin

.PHONY: help run test field attacks lint docs bench ui flow postgresql clean lock
help:  ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

run: .venv/run.stamp  ## set up, then sample the embedded 109th US Senate and report
	@$(BIN)/tallgrass run
	@[ -e .venv/warm.stamp ] || { touch .venv/warm.stamp; \
		nohup nice $(BIN)/tallgrass warm >.venv/warm.log 2>&1 & \
		echo "The other models are compiled in the background, once (.venv/warm.log)"; }

test: .venv/dev.stamp  ## set up with the development tools, then run the default tests
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

field: .venv/dev.stamp  ## run the tests of data and machines as they come (tests/field/README.md)
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "slow or not slow" \
		$$(sed -n 's/.*| `\(tests\/[^`]*\)` |$$/\1/p' tests/field/README.md)

attacks: .venv/dev.stamp  ## kill, cut off, fill up and mislead runs; says what was found
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "faults and not timed"

lint: .venv/dev.stamp  ## ruff, mypy (strict) and the import floors
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python scripts/rooms --check docs/architecture.md
	@$(BIN)/python scripts/reference --check

docs: .venv/docs.stamp  ## build the manual, with its examples carried out (build/manual/index.html)
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going \
		-d build/manual-made docs build/manual
	@echo build/manual/index.html

bench: .venv/run.stamp  ## effective samples a second: the plain way against the default one
	@$(BIN)/tallgrass bench

ui: .venv/run.stamp  ## open MLflow's pages on the runs of this folder
	@$(BIN)/tallgrass ui

flow: .venv/run.stamp  ## add JAX, which adaptation=flow needs
	@scripts/install requirements.lock requirements-flow.lock

postgresql: .venv/run.stamp  ## add the driver for votes and responses in PostgreSQL
	@scripts/install requirements.lock requirements-postgresql.lock

clean:  ## remove .venv and caches; runs (mlflow.db, mlruns) are kept
	rm -rf .venv build tallgrass.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find tallgrass tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

lock:  ## take the newest packages that pyproject.toml allows into the locks
	@scripts/lock

.venv/run.stamp: requirements.lock pyproject.toml scripts/install
	@scripts/install requirements.lock
	@touch $@

# Depends on the run stamp only by way of its files: the development install is a superset.
.venv/dev.stamp: requirements.lock requirements-dev.lock pyproject.toml scripts/install
	@scripts/install requirements.lock requirements-dev.lock
	@touch .venv/run.stamp $@

.venv/docs.stamp: requirements.lock requirements-docs.lock pyproject.toml scripts/install
	@scripts/install requirements.lock requirements-docs.lock
	@touch .venv/run.stamp $@

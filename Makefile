# Everything the two commands of the README need is made by them: .venv, the locked packages, Pango's libraries.
SHELL := /bin/sh
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile pyproject.toml --extra demo --group build --universal --generate-hashes \
	--no-header --no-annotate --quiet $(if $(UPGRADE),--upgrade)
export MPLCONFIGDIR ?= $(CURDIR)/.venv/cache/matplotlib

.PHONY: help demo test replays lint format gallery bench bench-probe soak bench-year properties torture mutants lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf 'make %-12s %s\n' "$$name" "$$text"; done

demo:  ## set up what is missing, then the whole product once on this machine, by itself, in under a minute
	@python3 tools/bootstrap.py demo
	@$(BIN)/nines demo

test:  ## set up what is missing, then the linters, the types and every test
	@python3 tools/bootstrap.py test
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy || status=1; \
	$(BIN)/mypy tools/bootstrap.py tools/bench.py tools/bench_year.py tools/bench_writer.py tools/bench_probe.py tools/mutants.py || status=1; \
	$(BIN)/pytest -n 2 --durations=10 || status=1; \
	exit $$status

replays:  ## the tests too long for every run: public monitors replayed, a million checks
	@python3 tools/bootstrap.py test
	$(BIN)/python tests/replays.py
	$(BIN)/pytest -m long

lint:  ## only the linters and the types
	@python3 tools/bootstrap.py test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tools/bootstrap.py tools/bench.py tools/bench_year.py tools/bench_writer.py tools/bench_probe.py tools/mutants.py

format:  ## rewrite the source as ruff has it
	@python3 tools/bootstrap.py test
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

gallery:  ## PNGs of the PDFs and of the terminal in build/gallery
	@python3 tools/bootstrap.py test
	$(BIN)/python tools/gallery.py

bench:  ## CPU seconds of the accounting, and ratios to a floor measured in the same run
	@python3 tools/bootstrap.py test
	$(BIN)/python tools/bench.py

bench-probe:  ## CPU of one check beside a bare aiohttp loop and blackbox_exporter; lateness and memory of thousands of endpoints
	@python3 tools/bootstrap.py test
	$(BIN)/python tools/bench_probe.py

soak:  ## 500 endpoints every 5 s for half an hour: dying, returning, stalling, reloads, a blind spell, a clock step
	@python3 tools/bootstrap.py test
	PYTHONPATH=. $(BIN)/python tests/soak.py

bench-year:  ## a year of 200 endpoints through the daemon's writer: bytes, CPU, statements, the board; an hour
	@python3 tools/bootstrap.py test
	$(BIN)/python tools/bench_writer.py
	$(BIN)/python tools/bench_year.py

properties:  ## the properties of the accounting with many made-up months each; a few minutes
	@python3 tools/bootstrap.py test
	NINES_PROPERTIES=many $(BIN)/pytest -n 2 tests/test_sla_properties.py tests/test_sla_properties_change.py \
		tests/test_sla_properties_oracle.py tests/test_sla_judge_properties.py

torture:  ## the daemon killed KILLS times (200) under load, its database taken away for a minute; half an hour
	@python3 tools/bootstrap.py test
	$(BIN)/python tests/torture.py --kills $(or $(KILLS),200) $(if $(SEED),--seed $(SEED))

mutants:  ## change the accounting in 300 places, one after the other: which tests notice; about half an hour
	@python3 tools/bootstrap.py test
	$(BIN)/python tools/mutants.py

lock:  ## both lock files from pyproject.toml; UPGRADE=1 takes the newest versions
	@python3 tools/bootstrap.py test
	$(BIN)/python -m pip install --quiet 'uv>=0.13,<1'
	$(LOCK) --group dev -o requirements-dev.lock
	$(LOCK) --constraints requirements-dev.lock -o requirements.lock

clean:  ## what was built, not .venv
	rm -rf build dist nines-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(CURDIR) -name __pycache__ -type d -not -path '*/.venv/*' -prune -exec rm -rf {} +

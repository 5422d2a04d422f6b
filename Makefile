.PHONY: check format lint types test coverage test-long differential differential-query fuzz monkey soak torture release test-lowest \
	short-torture bench bench-quick pictures

check:
	@echo 'make lint (ruff, import-linter, docs/packages.py), make types (mypy --strict), make test (pytest)'
	@$(MAKE) --no-print-directory lint types test

format:
	ruff format .
	ruff check --fix .

lint:
	ruff format --check .
	ruff check .
	PYTHONPATH=.links lint-imports --no-logo
	python docs/packages.py --check

types:
	mypy -p livetable
	mypy tests benchmarks docs

test:
	pytest -n 6 --dist worksteal

coverage:
	pytest -n 8 --dist worksteal --cov=feed --cov=tui --cov-report=term:skip-covered

test-long:
	pytest -m long -n 0

# Real files of real packages (pip install -e '.[differential]'), cell by cell against other readers;
# about four minutes. FEW=5: five small files, of what is installed.
differential:
	python -m tests.differential $(if $(FEW),--few $(FEW))

# Expressions, sorts, groups, figures, searches, formats and exports on random frames, against pandas,
# DuckDB and arithmetic; about ten minutes. EACH=500: the short form.
differential-query:
	python -m tests.differential_query --each $(or $(EACH),4000)

# 100,000 damaged messages to each reader and on each socket; about ten minutes.
fuzz:
	python -m tests.fuzz --messages $(or $(MESSAGES),100000)
	python -m tests.fuzz.sockets --messages $(or $(MESSAGES),100000)

# Keys, mouse, pastes and sizes at random; SEED= plays the same acts again.
monkey:
	python -m tests.monkey --minutes $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

# One viewer, used as a person would; then viewers, feeds and tables that come and go. What they hold
# is printed: memory, descriptors, threads; of the one viewer also what each thing done has added.
soak:
	python -m tests.soak --hours $(or $(HOURS),0.5)
	python -m tests.come_and_go --hours $(or $(HOURS),0.167)

# What the promises of docs/promises.md are measured by, with its figures.
torture:
	LIVETABLE_SCENARIOS=$(or $(SCENARIOS),1000) pytest -m long -n 0 -rP tests/torture
	$(MAKE) fuzz
	$(MAKE) release
	$(MAKE) soak

# The short form, for CI.
short-torture:
	LIVETABLE_SCENARIOS=$(or $(SCENARIOS),30) pytest -m long -n 0 -rP tests/torture tests/fuzz
	$(MAKE) release

release:
	python -m tests.release

# With the oldest versions of the dependencies that pyproject.toml allows, in a venv of their own.
test-lowest:
	python -m venv .venv-lowest
	.venv-lowest/bin/python -m tests.lowest > .venv-lowest/lowest.txt
	.venv-lowest/bin/pip install -q -e '.[dev]' -c .venv-lowest/lowest.txt
	PATH=$(CURDIR)/.venv-lowest/bin:$$PATH pytest -n 6 --dist worksteal

bench:
	python -m benchmarks --write

bench-quick:
	python -m benchmarks --quick

pictures:
	python docs/pictures.py

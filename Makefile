.PHONY: help check format lint types test coverage test-long differential differential-query fuzz monkey soak torture \
	short-torture release test-lowest test-pythons bench bench-quick pictures

check: lint types test ## run lint, types and test, as CI does

help: ## list the targets
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## /{printf "make %-19s%s\n", $$1, $$2}' Makefile

format: ## format the code, and fix what ruff can fix
	ruff format .
	ruff check --fix .

lint: ## check format, ruff's rules, the package layers and the picture of packages
	ruff format --check .
	ruff check .
	PYTHONPATH=.links lint-imports --no-logo
	python docs/packages.py --check

types: ## check types with mypy --strict
	mypy -p livetable
	mypy tests benchmarks docs

test: ## run all tests but the long ones
	pytest -n 6 --dist worksteal

coverage: ## run the tests and print which lines they miss
	pytest -n 8 --dist worksteal --cov=feed --cov=tui --cov-report=term:skip-covered

test-long: ## run the long tests
	pytest -m long -n 0

# Needs pip install -e '.[differential]', for the files that these packages ship.
differential: ## compare files read by livetable and by other readers, cell by cell (FEW=5: five small files)
	python -m tests.differential $(if $(FEW),--few $(FEW))

differential-query: ## compare filters, sorts, groups and exports with pandas and DuckDB (EACH=500: short form)
	python -m tests.differential_query --each $(or $(EACH),4000)

fuzz: ## send damaged messages to each reader and each socket (MESSAGES=100000)
	python -m tests.fuzz --messages $(or $(MESSAGES),100000)
	python -m tests.fuzz.sockets --messages $(or $(MESSAGES),100000)

monkey: ## press random keys in the viewer (MINUTES=60, SEED= repeats a run)
	python -m tests.monkey --minutes $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

soak: ## print memory, descriptors and threads of a viewer in use, then of viewers that come and go (HOURS=0.5)
	python -m tests.soak --hours $(or $(HOURS),0.5)
	python -m tests.come_and_go --hours $(or $(HOURS),0.167)

torture: ## measure the promises of docs/promises.md (SCENARIOS=1000)
	LIVETABLE_SCENARIOS=$(or $(SCENARIOS),1000) pytest -m long -n 0 -rP tests/torture
	$(MAKE) fuzz
	$(MAKE) release
	$(MAKE) soak

short-torture: ## the short form of torture, for CI (SCENARIOS=30)
	LIVETABLE_SCENARIOS=$(or $(SCENARIOS),30) pytest -m long -n 0 -rP tests/torture tests/fuzz
	$(MAKE) release

release: ## build the wheel and sdist, and try them without the repository
	python -m tests.release

test-lowest: ## run the tests with the oldest dependencies: the feed's with pandas 2.2, all with pandas 3.0
	python -m venv .venv-lowest
	.venv-lowest/bin/python -m tests.lowest > .venv-lowest/lowest.txt
	.venv-lowest/bin/pip install -q -e '.[dev]' -c .venv-lowest/lowest.txt
	PATH=$(CURDIR)/.venv-lowest/bin:$$PATH pytest -n 6 --dist worksteal tests/feed tests/top
	.venv-lowest/bin/pip install -q 'pandas==3.0.0' 'numpy>=2'
	PATH=$(CURDIR)/.venv-lowest/bin:$$PATH pytest -n 6 --dist worksteal

test-pythons: ## run the tests on each Python that is found (on PATH, in ~/.pyenv/versions)
	python -m tests.pythons

bench: ## run all benchmarks and write the README's table
	python -m benchmarks --write

bench-quick: ## run the benchmarks in their short form
	python -m benchmarks --quick

pictures: ## draw the pictures in docs/ from the real viewer
	python docs/pictures.py

.PHONY: check format lint types test test-long bench bench-quick pictures

check: lint types test

format:
	ruff format .
	ruff check --fix .

lint:
	ruff format --check .
	ruff check .

types:
	mypy -p livetable.feed -p livetable.tui
	mypy tests benchmarks docs

test:
	pytest -n 6 --cov=feed --cov=tui --cov-report=term:skip-covered

test-long:
	pytest -m long -n 0

bench:
	python -m benchmarks --write

bench-quick:
	python -m benchmarks --quick

pictures:
	python docs/pictures.py

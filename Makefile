# The commands of cphub. "make" alone lists them. ARGS passes words on: make test ARGS="-k claim".

PYTHON = .venv/bin/python
ARGS =

.PHONY: help run test check bench lock setup

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run: ## start the tool with demo data on http://127.0.0.1:5000 (PORT=… picks another port)
	@scripts/setup.sh run
	@exec $(PYTHON) scripts/run_local.py $(ARGS)

test: ## run every test on SQLite and MariaDB and in Chromium
	@scripts/setup.sh test
	$(PYTHON) scripts/with_mariadb.py $(PYTHON) -m pytest -n auto $(ARGS)

check: ## look for faults without running: style, types, floors of the house, messages
	@scripts/setup.sh test
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --config pyproject.toml
	$(PYTHON) -m cphub.i18n check

bench: ## measure pages and statements against the floor of the stack
	@scripts/setup.sh test
	$(PYTHON) scripts/with_mariadb.py --buffer-pool 1G $(PYTHON) -m bench $(ARGS)

lock: ## choose new versions of all packages and write the locks (needs uv and npm)
	@uv --version >/dev/null 2>&1 || { echo "uv is missing: install it to make new locks." >&2; exit 1; }
	uv pip compile --upgrade $(LOCK) -o requirements.txt requirements.in
	uv pip compile --upgrade $(LOCK) -c requirements.txt -o requirements-dev.txt requirements-dev.in
	npm update --package-lock-only

LOCK = --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --no-annotate

setup: ## install all that the other commands need
	@scripts/setup.sh test

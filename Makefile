# Each target works on a fresh machine that has Python 3.10+ and make.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Several makes in this folder set up one at a time; the others find it done.
SET_UP := $(PYTHON) scripts/locked.py var/setup.lock $(MAKE) --no-print-directory
DEV := $(SET_UP) .venv/.dev

# The last file that collectstatic writes.
STATIC := var/static/staticfiles.json

# Processes start faster if Python can cache bytecode.
unexport PYTHONDONTWRITEBYTECODE

# The driver for MariaDB compiles, so it is installed only where the settings ask for it.
ifneq ($(findstring mysql,$(DATABASE_URL))$(MYSQL_HOST)$(shell grep -sE '^[^#]*(DATABASE_URL\s*=\s*.?mysql|MYSQL_HOST\s*=\s*\S)' .env),)
DRIVER := .venv/.mysql
endif

.PHONY: setup run prepare test bench lint format requirements

setup:
	@$(SET_UP) .venv/.base $(DRIVER)

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or later is needed; name one with PYTHON=..."; exit 1; }
	[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv
	@touch $@

.venv/.base: requirements/base.txt | .venv/.created
	$(PIP) -r requirements/base.txt
	@touch $@

.venv/.mysql: requirements/mysql.txt .venv/.base
	$(PIP) -r requirements/mysql.txt
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.base
	$(PIP) -r requirements/dev.txt
	@touch $@

run: setup
	@$(SET_UP) prepare
	$(BIN)/python manage.py serve

prepare: $(STATIC)
	$(BIN)/python manage.py prepare

$(STATIC): .venv/.base $(shell find static -type f)
	$(BIN)/python manage.py collectstatic --noinput --verbosity 0

test: setup
	@$(DEV)
	$(BIN)/python -m pytest

bench:
	@$(DEV) .venv/.mysql
	$(BIN)/python -m benchmarks.load.bench

# The static checks of .ci/run; `make format` fixes what can be fixed automatically.
lint:
	@$(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint --check --lint templates

format:
	@$(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	-$(BIN)/djlint --quiet --reformat templates

# Pins the direct dependencies in requirements/*.in.
requirements:
	@$(DEV)
	$(PIP) uv
	for list in base mysql dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.10 requirements/$$list.in --output-file requirements/$$list.txt; done

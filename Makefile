# Each target works on a fresh machine that has Python 3.10+ and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup run test bench check requirements

setup: .venv/.base

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or later is needed; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv

# The driver for MariaDB compiles, so it is installed only where the settings ask for it.
.venv/.base: requirements/base.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/base.txt
	@touch $@

.venv/.mysql: requirements/mysql.txt .venv/.base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/mysql.txt
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

ifneq ($(findstring mysql,$(DATABASE_URL))$(MYSQL_HOST)$(shell grep -sE '^(DATABASE_URL=.?mysql|MYSQL_HOST=.)' .env),)
setup: .venv/.mysql
endif

run: setup
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	$(BIN)/python manage.py create_first_staff
	$(BIN)/python manage.py serve

test: setup .venv/.dev
	$(BIN)/python -m pytest

bench: setup .venv/.dev .venv/.mysql
	$(BIN)/python -m benchmarks.bench

# The pinned files are made from the short lists of what we chose.
requirements: .venv/.dev
	$(BIN)/python -m pip install --quiet uv
	for list in base mysql dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.10 requirements/$$list.in --output-file requirements/$$list.txt; done

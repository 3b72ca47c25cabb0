# `make demo` and `make test` need nothing but Python 3.11 or newer and make.

# Which Python makes the environment: `make setup PYTHON=python3.12`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))

# What the deployment check needs to be able to read the production settings; nothing connects to it.
DEPLOYMENT = DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=portal.example.com \
	DATABASE_URL=postgresql://dingyao@database/dingyao REDIS_URL=redis://broker:6379/0 \
	SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))')" \
	STATEMENT_SIGNING_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(32))')" \
	PAYEE_KEYS="$$($(BIN)/python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())')"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev demo test proof bench screenshots bench-portal bench-dashboard check format lock messages clean

help: ## Say what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(RUNTIME) $(CATALOGUES) ## Make the environment in .venv, and the translations

setup-dev: setup $(DEVELOPMENT)

demo: setup ## Run the portal with invented programs: http://127.0.0.1:8000/ (PORT=…)
	@exec $(BIN)/python manage.py up --demo --stop-with-parent

test: setup-dev ## Run the tests, on two processes (ARGS="-k payout")
	$(BIN)/python -m pytest -n 2 -m "not proof" $(ARGS)

proof: setup-dev ## Run the long proofs
	$(BIN)/python -m pytest -m proof $(ARGS)

bench: setup-dev ## Measure loading and judging, as ratios (ARGS="--shops 10000 --lines 500000")
	$(BIN)/python -m benchmarks.measure $(ARGS)

bench-portal: setup-dev ## Measure the pages of a partner with very many shops (ARGS="--shops 5000 --lines 50000")
	$(BIN)/python -m benchmarks.portal $(ARGS)

bench-dashboard: setup-dev ## Measure the admin dashboard at quarter's end (ARGS="--shops 5000 --partners 100 --lines 50000")
	$(BIN)/python -m benchmarks.dashboard $(ARGS)

screenshots: setup-dev ## Take pictures of every page into var/screenshots (PAGES="notices|team")
	SCREENSHOTS=var/screenshots PAGES="$(PAGES)" $(BIN)/python -m pytest tests/browser/test_pages.py -k pictures $(ARGS)

check: setup-dev ## Check style, types, floors, migrations, deployment, compose file and Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	$(DEPLOYMENT) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/hadolint Dockerfile

format: setup-dev ## Format the code, and fix what can be fixed by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Locks for all systems and for 3.11 and newer, with hashes. They name no host: pip takes packages from wherever it is set to.
LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --generate-hashes --universal --no-emit-index-url \
	--python-version 3.11 --custom-compile-command "make lock"

lock: setup-dev ## Renew requirements.txt and requirements-dev.txt from pyproject.toml (ARGS=--upgrade)
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) $(ARGS) --output-file requirements.txt
	$(LOCK) $(ARGS) --group dev --constraint requirements.txt --output-file requirements-dev.txt

messages: setup-dev ## Collect the texts to translate (needs gettext's xgettext)
	@command -v xgettext >/dev/null || { echo "xgettext is missing: install gettext." >&2; exit 1; }
	DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python manage.py makemessages --locale zh_Hans --locale en \
		--no-wrap --add-location file --ignore '$(VENV)/*' --ignore 'var/*' --ignore 'tests/*'

clean: ## Remove the environment and what was made with it; the state folder var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis staticfiles
	find locale -name '*.mo' -delete 2>/dev/null || true

# --- How ---------------------------------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "$(PYTHON) is missing or older than 3.11. Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@if command -v uv >/dev/null 2>&1; then uv venv --quiet --seed --allow-existing --python "$$(command -v $(PYTHON))" $(VENV); \
		else $(PYTHON) -m venv $(VENV) || { \
		echo "$(PYTHON) can't make environments: install its venv module (Debian: python3-venv)." >&2; exit 1; }; fi

# uv where there is one, as it is faster; but it doesn't read pip's settings, so pip has the last word.
# Not compiled at once: most modules are never imported, and the others are compiled when they are.
define install
	@echo "installing $(1)"
	@{ command -v uv >/dev/null 2>&1 && uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) 2>/dev/null; } \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile --require-hashes -r $(1)
	@touch $@
endef

$(RUNTIME): requirements.txt | $(BIN)/python
	$(call install,requirements.txt)

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	$(call install,requirements-dev.txt)

%.mo: %.po $(RUNTIME)
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

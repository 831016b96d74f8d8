# Every command of this project. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help run test check chaos bench images lock clean

PY := .venv/bin/python
# `check --deploy` needs settings as production has them; nothing connects to these.
CHECK_ENVIRONMENT := SECRET_KEY=only-for-make-check-only-for-make-check-only-for-make-check-0123456789 \
	ENCRYPTION_KEYS=k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= AUDIT_KEY=only-for-make-check \
	DATABASE_URL=postgres://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
	PUBLIC_URL=https://hub.example.org SUPPORTHUB_SANDBOX= SUPPORTHUB_SANDBOX_ACTIVE= LOG_LEVEL=WARNING

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run:  ## the whole hub on this machine (PORT, SMTP_PORT, DATA_DIR, SUPPORTHUB_ADMIN_EMAIL, SUPPORTHUB_ADMIN_PASSWORD)
	@scripts/ensure_venv local
	@exec $(PY) manage.py up

test:  ## all tests: unit and integration, browser, small fault campaign (SKIP_BROWSER=1 leaves the browser out)
	@scripts/ensure_venv dev
	@$(PY) scripts/run_tests.py

check:  ## format, lint, types, import contracts, deployment checks, missing migrations
	@scripts/ensure_venv dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	@echo "manage.py check --deploy"
	@$(CHECK_ENVIRONMENT) DJANGO_SETTINGS_MODULE=supporthub.settings.production \
		$(PY) manage.py check --deploy --fail-level WARNING
	@echo "manage.py makemigrations --check"
	@DJANGO_SETTINGS_MODULE=supporthub.settings.test \
		$(PY) -m tests.testservers $(PY) manage.py makemigrations --check --dry-run

chaos:  ## the large fault campaigns (CHAOS_TICKETS, 500)
	@scripts/ensure_venv dev
	@CHAOS_TICKETS=$${CHAOS_TICKETS:-500} $(PY) -m pytest tests/chaos

bench:  ## the benchmarks, each beside its limit
	@scripts/ensure_venv dev
	@$(PY) -m tests.load

images:  ## the pictures of the documentation
	@scripts/ensure_venv dev
	@$(PY) scripts/take_pictures.py

lock:  ## requirements/*.txt from requirements/*.in (needs uv)
	@command -v uv >/dev/null || { echo "supporthub: make lock needs uv (pip install uv)" >&2; exit 2; }
	@for name in base production local dev; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

clean:  ## removes what can be made again; data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache static-collected
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Every target sets itself up: all it needs is make and a Python 3.13.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first of these that really is a 3.13 is used. A version manager's shim may exist and not work: each is tried.
PYTHONS = "$(PYTHON)" python3.13 python3 python "$$HOME"/.pyenv/versions/3.13*/bin/python \
	/opt/python/3.13*/bin/python /usr/local/bin/python3.13
IS_313 = -c 'import sys; assert sys.version_info[:2] == (3, 13)'

VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/installed

RUNTIME_LOCK = layers/dunning/python/requirements.txt
DEV_LOCK = requirements-dev.txt
TOOLS_LOCK = requirements-tools.txt
CHECKOV_LOCK = requirements-checkov.txt
# No header and no addresses: the lock must not tell, nor depend on, where packages were fetched from.
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.13 --no-header
COMPILE_DEV = $(COMPILE) --group dev -c $(RUNTIME_LOCK)
COMPILE_TOOLS = $(COMPILE) --group tools
COMPILE_CHECKOV = $(COMPILE) --group checkov

# Environments of their own: command-line tools.
TOOLS_VENV = .venv-tools
CHECKOV_VENV = .venv-checkov
# cdk-nag is of npm; package.json and its lock lie beside the few lines that run it.
NAG = tests/tools/nag

ACCOUNTS =
START =
DAYS =
OUT = .local
LENDER =
PLACE =
POLICIES =

.PHONY: help
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: setup ## Play 45 days on the embedded AWS; ACCOUNTS=file.csv START=2026-12-01 DAYS=30 OUT=dir
	@$(BIN)/python -m tests.local $(if $(ACCOUNTS),--accounts "$(ACCOUNTS)") $(if $(START),--start "$(START)") \
		$(if $(DAYS),--days "$(DAYS)") --out "$(OUT)"

.PHONY: test
test: setup ## Run the whole test suite
	$(BIN)/python -m pytest

.PHONY: check
check: setup tools checkov ## Check style, types, locks and the template
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/cfn-lint --append-rules cfn_lint_serverless.rules -- template.yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=ap-northeast-1 \
		$(TOOLS_VENV)/bin/sam validate --lint
	@$(BIN)/python -m tests.tools.template_check checkov $(CHECKOV_VENV)/bin/checkov
	@$(BIN)/python -m tests.tools.policy_check --brief
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT \
	&& cp $(RUNTIME_LOCK) "$$fresh/runtime.txt" && cp $(DEV_LOCK) "$$fresh/dev.txt" \
	&& cp $(TOOLS_LOCK) "$$fresh/tools.txt" && cp $(CHECKOV_LOCK) "$$fresh/checkov.txt" \
	&& $(COMPILE) -o "$$fresh/runtime.txt" pyproject.toml > "$$fresh/log" \
	&& $(COMPILE_DEV) -o "$$fresh/dev.txt" pyproject.toml > "$$fresh/log" \
	&& $(COMPILE_TOOLS) -o "$$fresh/tools.txt" > "$$fresh/log" \
	&& $(COMPILE_CHECKOV) -o "$$fresh/checkov.txt" > "$$fresh/log" \
	&& if diff -u $(RUNTIME_LOCK) "$$fresh/runtime.txt" && diff -u $(DEV_LOCK) "$$fresh/dev.txt" \
	&& diff -u $(TOOLS_LOCK) "$$fresh/tools.txt" && diff -u $(CHECKOV_LOCK) "$$fresh/checkov.txt"; \
	then echo "The locks fit pyproject.toml."; \
	else echo "The locks do not fit pyproject.toml: run 'make lock' and look at the difference."; exit 1; fi

.PHONY: nag
nag: setup ## Check the template with cdk-nag too; needs node and npm, and is not part of check
	@[ -d $(NAG)/node_modules ] || (cd $(NAG) && npm ci --silent --no-audit --no-fund)
	@$(BIN)/python -m tests.tools.template_check nag $(NAG)

.PHONY: policy-check
policy-check: setup ## Print what holds per lender and place, and from whom; LENDER=demo-tw PLACE=TW POLICIES=dir
	@$(BIN)/python -m tests.tools.policy_check $(if $(LENDER),--lender "$(LENDER)") \
		$(if $(PLACE),--place "$(PLACE)") $(if $(POLICIES),--policies "$(POLICIES)")

.PHONY: format
format: setup ## Put the code into its form, and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: bench
bench: setup ## Measure: calls, cost, CPU, decisions per second, import time
	@set -e; for bench in $$(grep -l __main__ tests/bench/*.py); do \
		echo "== $$bench"; PYTHONPATH=.:layers/dunning/python $(BIN)/python "$$bench"; done

.PHONY: lock
lock: setup ## Lock the dependencies again after a change of pyproject.toml
	$(COMPILE) -o $(RUNTIME_LOCK) pyproject.toml > /dev/null
	$(COMPILE_DEV) -o $(DEV_LOCK) pyproject.toml > /dev/null
	$(COMPILE_TOOLS) -o $(TOOLS_LOCK) > /dev/null
	$(COMPILE_CHECKOV) -o $(CHECKOV_LOCK) > /dev/null

.PHONY: calendars
calendars: setup ## Write the holiday calendars again
	$(BIN)/python -m tests.tools.calendars

.PHONY: clean
clean: ## Remove everything that can be made again
	rm -rf $(VENV) $(TOOLS_VENV) $(CHECKOV_VENV) $(NAG)/node_modules .local .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find functions layers tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment without a stamp was interrupted while it was made, or its interpreter is gone: make it again.
.PHONY: setup
setup:
	@wanted=$$(cksum < $(DEV_LOCK)); \
	if ! $(BIN)/python $(IS_313) 2> /dev/null || [ ! -f $(STAMP) ]; then \
		found=; \
		for candidate in $(PYTHONS); do \
			if [ -n "$$candidate" ] && "$$candidate" $(IS_313) 2> /dev/null; then found=$$candidate; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "No Python 3.13 was found. Install one, or name it: make PYTHON=/path/to/python3.13 ..." >&2; exit 1; \
		fi; \
		echo "Setting up $(VENV) with $$found"; \
		rm -rf $(VENV) && "$$found" -m venv $(VENV) || exit 1; \
	elif [ "$$wanted" = "$$(cat $(STAMP))" ]; then exit 0; \
	fi; \
	rm -f $(STAMP); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(DEV_LOCK) \
	&& echo "$$wanted" > $(STAMP)

# $(call environment,FOLDER,LOCK,INSTALL): an environment that holds what INSTALL puts there, made anew when the lock
# or the interpreter has changed. Bytecode is written now: whoever runs it may have told Python not to write any.
define environment
@wanted=$$(cksum < $(2)); \
if [ "$$wanted" != "$$(cat $(1)/installed 2> /dev/null)" ] || ! $(1)/bin/python $(IS_313) 2> /dev/null; then \
	echo "Setting up $(1)"; \
	rm -rf $(1) && $(BIN)/python -m venv --without-pip $(1) \
	&& $(BIN)/uv pip $(3) --quiet --python $(1)/bin/python --require-hashes --compile-bytecode \
	&& echo "$$wanted" > $(1)/installed; \
fi
endef

.PHONY: tools
tools: setup
	$(call environment,$(TOOLS_VENV),$(TOOLS_LOCK),sync $(TOOLS_LOCK))

.PHONY: checkov
checkov: setup
	$(call environment,$(CHECKOV_VENV),$(CHECKOV_LOCK),sync $(CHECKOV_LOCK))

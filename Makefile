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
E2E_LOCK = requirements-stand-in.txt
CHECKOV_LOCK = requirements-checkov.txt
# No header and no addresses: the lock must not tell, nor depend on, where packages were fetched from.
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.13 --no-header
COMPILE_DEV = $(COMPILE) --group dev -c $(RUNTIME_LOCK)
COMPILE_TOOLS = $(COMPILE) --group tools
COMPILE_E2E = $(COMPILE) --group e2e
COMPILE_CHECKOV = $(COMPILE) --group checkov

# Environments of their own: command-line tools; the stand-in for AWS; and what Lambda itself brings, which is boto3.
TOOLS_VENV = .venv-tools
E2E_VENV = .venv-e2e
CHECKOV_VENV = .venv-checkov
LAMBDA_VENV = .venv-lambda
# cdk-nag is of npm; package.json and its lock lie beside the few lines that run it.
NAG = tests/devtools/nag

# What is deployed, and the same for this machine's processor, so that it can be run here.
BUILD = .aws-sam/build
HOST_BUILD = .aws-sam/host
HOST_ARCH = $(patsubst aarch64,arm64,$(shell uname -m))
# Without make's own variables: the layer's Makefile is not a part of this one.
SAM_BUILD = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/$(BIN):$$PATH" \
	PYTHON="$(CURDIR)/$(BIN)/python" $(TOOLS_VENV)/bin/sam build

# The operators' programs lie beside the package, which is all that Lambda gets.
OPS = PYTHONPATH=layers/dunning:layers/dunning/python $(BIN)/python -m ops

ACCOUNTS =
EVENTS =
START =
DAYS =
OUT = .local
LENDER =
LANGUAGE =
COUNTRY =
PLACE =
POLICIES =
CHECK =
REGION =
STACK =
CUSTOMER =
TABLE =
AT =
FROM =
SPEND =
ROLE =
APPLY =
RUNS = 5

# What may be set on the command line. Anything else is misspelt, and would be ignored without a word.
VARIABLES = ACCOUNTS EVENTS START DAYS OUT LENDER LANGUAGE COUNTRY PLACE POLICIES CHECK REGION STACK CUSTOMER TABLE \
	AT FROM SPEND ROLE APPLY RUNS PYTHON SHELL MAKEFLAGS
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
UNKNOWN := $(firstword $(filter-out $(VARIABLES),$(GIVEN)))
# The variable with the fewest letters to insert, take out or exchange, whatever the case; nothing if none is near.
NEAREST = function least(a, b) { return a < b ? a : b } \
	{ for (j = 0; j <= length(given); j++) row[j] = j; \
	for (i = 1; i <= length($$0); i++) { corner = row[0]; row[0] = i; \
	for (j = 1; j <= length(given); j++) { above = row[j]; \
	differs = substr($$0, i, 1) != toupper(substr(given, j, 1)); \
	row[j] = least(least(above, row[j - 1]) + 1, corner + differs); corner = above } } \
	if (row[length(given)] < fewest) { fewest = row[length(given)]; nearest = $$0 } } \
	BEGIN { fewest = 3 } END { print nearest }
ifneq ($(UNKNOWN),)
MEANT := $(shell printf '%s\n' $(VARIABLES) | awk -v given='$(subst ','\'',$(UNKNOWN))' '$(NEAREST)')
$(error There is no variable $(UNKNOWN)=$(if $(MEANT),; did you mean $(MEANT)=?, here. There are: $(VARIABLES)))
endif

.PHONY: help
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: setup ## Play 45 days on the embedded AWS; ACCOUNTS= EVENTS= START=2026-12-01 DAYS= OUT= POLICIES=dir LENDER=
	@$(BIN)/python -m tests.local $(if $(ACCOUNTS),--accounts="$(ACCOUNTS)") $(if $(EVENTS),--events="$(EVENTS)") \
		$(if $(START),--start="$(START)") $(if $(DAYS),--days="$(DAYS)") $(if $(OUT),--out="$(OUT)") \
		$(if $(POLICIES),--policies="$(POLICIES)") $(if $(LENDER),--lender="$(LENDER)")

.PHONY: preview
preview: setup ## Show all texts of a lender; LENDER=demo-tw LANGUAGE=zh-Hant COUNTRY=TW POLICIES=folder
	@$(OPS).preview $(if $(LENDER),--lender "$(LENDER)") \
		$(if $(LANGUAGE),--language "$(LANGUAGE)") $(if $(COUNTRY),--country "$(COUNTRY)") \
		$(if $(POLICIES),--policies "$(POLICIES)")

.PHONY: test
test: setup ## Run the whole test suite
	$(BIN)/python -m pytest

.PHONY: build
build: setup tools lambda ## Build for Lambda with bytecode; check what was built, measure its cold import; RUNS=5
	@echo "== sam build ($(BUILD): arm64; $(HOST_BUILD): $(HOST_ARCH), to be run here)"
	@mkdir -p .aws-sam
	@ARCH=arm64 $(SAM_BUILD) --build-dir $(BUILD) > .aws-sam/build.log 2>&1 || { cat .aws-sam/build.log; exit 1; }
	@ARCH=$(HOST_ARCH) $(SAM_BUILD) --build-dir $(HOST_BUILD) > .aws-sam/host.log 2>&1 \
		|| { cat .aws-sam/host.log; exit 1; }
	@$(BIN)/python -m tests.devtools.built $(BUILD) --arch arm64 --lock $(RUNTIME_LOCK)
	@$(BIN)/python -m tests.devtools.built $(HOST_BUILD) --arch $(HOST_ARCH) --lock $(RUNTIME_LOCK) \
		--run-with $(LAMBDA_VENV)/bin/python --runs $(RUNS)

.PHONY: e2e
e2e: RUNS = 3
e2e: build ministack ## Deploy to a stand-in for AWS with IAM enforced, remind, break it, update it
	$(BIN)/python -m pytest -m deployed tests/e2e/deployed --capture=no --durations=5

.PHONY: check
check: setup tools checkov ## Check style, types, locks and the template
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/cfn-lint --append-rules cfn_lint_serverless.rules -- template.yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=ap-northeast-1 \
		$(TOOLS_VENV)/bin/sam validate --lint
	@$(BIN)/python -m tests.devtools.template_check checkov $(CHECKOV_VENV)/bin/checkov
	@$(OPS).policy_check --brief
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT \
	&& cp $(RUNTIME_LOCK) "$$fresh/runtime.txt" && cp $(DEV_LOCK) "$$fresh/dev.txt" \
	&& cp $(TOOLS_LOCK) "$$fresh/tools.txt" && cp $(E2E_LOCK) "$$fresh/e2e.txt" \
	&& cp $(CHECKOV_LOCK) "$$fresh/checkov.txt" \
	&& $(COMPILE) -o "$$fresh/runtime.txt" pyproject.toml > "$$fresh/log" \
	&& $(COMPILE_DEV) -o "$$fresh/dev.txt" pyproject.toml > "$$fresh/log" \
	&& $(COMPILE_TOOLS) -o "$$fresh/tools.txt" > "$$fresh/log" \
	&& $(COMPILE_E2E) -o "$$fresh/e2e.txt" > "$$fresh/log" \
	&& $(COMPILE_CHECKOV) -o "$$fresh/checkov.txt" > "$$fresh/log" \
	&& if diff -u $(RUNTIME_LOCK) "$$fresh/runtime.txt" && diff -u $(DEV_LOCK) "$$fresh/dev.txt" \
	&& diff -u $(TOOLS_LOCK) "$$fresh/tools.txt" && diff -u $(E2E_LOCK) "$$fresh/e2e.txt" \
	&& diff -u $(CHECKOV_LOCK) "$$fresh/checkov.txt"; \
	then echo "The locks fit pyproject.toml."; \
	else echo "The locks do not fit pyproject.toml: run 'make lock' and look at the difference."; exit 1; fi

.PHONY: nag
nag: setup ## Check the template with cdk-nag too; needs node and npm, and is not part of check
	@[ -d $(NAG)/node_modules ] || (cd $(NAG) && npm ci --silent --no-audit --no-fund)
	@$(BIN)/python -m tests.devtools.template_check nag $(NAG)

.PHONY: policy-check
policy-check: setup ## Print what holds per lender and place, and from whom; LENDER=demo-tw PLACE=TW POLICIES=dir
	@$(OPS).policy_check $(if $(LENDER),--lender "$(LENDER)") \
		$(if $(PLACE),--place "$(PLACE)") $(if $(POLICIES),--policies "$(POLICIES)")

.PHONY: format
format: setup ## Put the code into its form, and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: bench
bench: setup ## Measure: calls, cost, CPU, decisions per second, import time
	@set -e; for bench in $$(grep -l __main__ tests/bench/*.py); do \
		echo "== $$bench"; PYTHONPATH=.:layers/dunning/python $(BIN)/python "$$bench"; done

.PHONY: cost
cost: setup ## Print what a million reminders cost, AWS and carriers; REGION=ap-northeast-1
	@$(BIN)/python -m tests.bench.cost $(if $(REGION),--region "$(REGION)")

# What works on a deployed stack, with the credentials of whoever calls it. Only APPLY=1 changes anything.
ON_A_STACK = $(if $(REGION),--region "$(REGION)") $(if $(STACK),--stack "$(STACK)") $(if $(APPLY),--apply)

.PHONY: sms-settings
sms-settings: setup ## Check the account's SMS settings; SPEND=500 STACK=dunning-prod or ROLE=arn, APPLY=1 sets them
	@$(OPS).sms_settings $(ON_A_STACK) $(if $(SPEND),--spend-limit "$(SPEND)") \
		$(if $(ROLE),--role "$(ROLE)")

.PHONY: erase
erase: setup ## Look what is stored of a customer; STACK=dunning-prod CUSTOMER="C1 C2", APPLY=1 erases
	@$(OPS).erase $(ON_A_STACK) $(CUSTOMER)

.PHONY: replan
replan: setup ## Look how many wakes a changed policy moves; STACK=dunning-prod, APPLY=1 moves them
	@$(OPS).replan $(ON_A_STACK)

.PHONY: restore
restore: setup ## Restore a table beside the one in use; STACK= TABLE=customers AT=..., then FROM=; APPLY=1 does it
	@$(OPS).restore $(ON_A_STACK) $(if $(TABLE),--table "$(TABLE)") $(if $(AT),--at "$(AT)") \
		$(if $(FROM),--from "$(FROM)") $(CUSTOMER)

.PHONY: lock
lock: setup ## Lock the dependencies again after a change of pyproject.toml
	$(COMPILE) -o $(RUNTIME_LOCK) pyproject.toml > /dev/null
	$(COMPILE_DEV) -o $(DEV_LOCK) pyproject.toml > /dev/null
	$(COMPILE_TOOLS) -o $(TOOLS_LOCK) > /dev/null
	$(COMPILE_E2E) -o $(E2E_LOCK) > /dev/null
	$(COMPILE_CHECKOV) -o $(CHECKOV_LOCK) > /dev/null

.PHONY: calendars
calendars: setup ## Write the holiday calendars again; CHECK=1 only tells which would differ
	$(BIN)/python -m tests.devtools.calendars $(if $(CHECK),--check)

.PHONY: schemas
schemas: setup ## Write the JSON schemas of all events again; CHECK=1 only tells which would differ
	@$(BIN)/python -m tests.devtools.schemas $(if $(CHECK),--check)

.PHONY: characters
characters: setup ## Write the tables of characters that stand for one another again
	@$(BIN)/python -m tests.devtools.characters

.PHONY: clean
clean: ## Remove everything that can be made again
	rm -rf $(VENV) $(TOOLS_VENV) $(E2E_VENV) $(LAMBDA_VENV) $(CHECKOV_VENV) $(NAG)/node_modules
	rm -rf .local .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis
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

.PHONY: ministack
ministack: setup
	$(call environment,$(E2E_VENV),$(E2E_LOCK),sync $(E2E_LOCK))

# The boto3 that is tested here. Lambda's own changes without notice; what we need at least is in pyproject.toml.
.PHONY: lambda
lambda: setup
	$(call environment,$(LAMBDA_VENV),$(DEV_LOCK),install -c $(DEV_LOCK) $(shell sed -n 's/^\(boto3==[^ ]*\).*/\1/p' $(DEV_LOCK)))

.PHONY: checkov
checkov: setup
	$(call environment,$(CHECKOV_VENV),$(CHECKOV_LOCK),sync $(CHECKOV_LOCK))

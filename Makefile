# Every target sets itself up: all it needs is make and a Python 3.13.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first of these that really is a 3.13 is used, with what makes an environment (Debian packs that apart). A version
# manager's shim may exist and not work: each is tried.
PYTHONS = "$(PYTHON)" python3.13 python3 python "$$HOME"/.pyenv/versions/3.13*/bin/python \
	/opt/python/3.13*/bin/python /usr/local/bin/python3.13
IS_313 = -c 'import ensurepip, sys, venv; assert sys.version_info[:2] == (3, 13)'

VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/installed
# Environments of their own: command-line tools; the stand-in for AWS; and what Lambda itself brings, which is boto3.
TOOLS_VENV = .venv-tools
STAND_IN_VENV = .venv-stand-in
CHECKOV_VENV = .venv-checkov
LAMBDA_VENV = .venv-lambda
TRAIN_VENV = .venv-train
FUZZ_VENV = .venv-fuzz
BROWSER_VENV = .venv-browser
# cdk-nag is of npm; package.json and its lock lie beside the few lines that run it.
NAG = tests/devtools/nag

# Each lock, and what it is compiled from. A package that two locks hold has one version in both, where they meet in one
# environment. No header and no addresses: a lock must not tell, nor depend on, where packages were fetched from.
LOCKS = runtime uv run dev train fuzz browser tools stand-in checkov
LOCK_runtime = layers/dunning/python/requirements.txt
$(foreach lock,$(filter-out runtime,$(LOCKS)),$(eval LOCK_$(lock) = layers/dunning/requirements/$(lock).txt))
FROM_runtime = pyproject.toml
FROM_uv = --group uv
FROM_run = --group run -c $(LOCK_runtime) pyproject.toml
FROM_dev = --group dev -c $(LOCK_runtime) -c $(LOCK_run) pyproject.toml
FROM_train = --group train -c $(LOCK_runtime) pyproject.toml
FROM_fuzz = --group fuzz -c $(LOCK_runtime) -c $(LOCK_run) pyproject.toml
FROM_browser = --group browser -c $(LOCK_runtime) -c $(LOCK_dev) pyproject.toml
FROM_tools = --group tools
FROM_stand-in = --group stand-in
FROM_checkov = --group checkov
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.13 --no-header

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
ENCODING =
COMPLETE =
START =
DAYS =
OUT = .local
LENDER =
LANGUAGE =
COUNTRY =
PLACE =
POLICIES =
POLICY =
PAYMENTS =
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
TEXT =
ON =
EXAM =
RECORD =
WHO =
WHY =
SINCE =
COUNSEL =
IN_FORCE =
CUSTOMERS =
RATE =
SAMPLE =
INSTALMENTS =
REMINDERS =
WORKERS =
LATENCY_MS =
THROTTLED =
SEED =
PARSER =
MINUTES =
INPUT =
KEEP =
MODULE =
RUNS = 5
JOBS = auto
SCENARIO =
PROVE =
PLANT =
REPLAY =
ROWS =
PORT =
CHROMIUM =
SHOTS =
LIFT =
TRIALS =
NIGHTS =

# What may be set on the command line. Anything else is misspelt, and would be ignored without a word.
VARIABLES = ACCOUNTS EVENTS ENCODING COMPLETE START DAYS OUT LENDER LANGUAGE COUNTRY PLACE POLICIES POLICY PAYMENTS CHECK REGION STACK \
	CUSTOMER TABLE AT FROM SPEND ROLE APPLY TEXT ON EXAM RECORD WHO WHY SINCE COUNSEL IN_FORCE CUSTOMERS RATE SAMPLE INSTALMENTS \
	REMINDERS WORKERS LATENCY_MS THROTTLED SEED PARSER MINUTES INPUT KEEP SCENARIO PROVE REPLAY PLANT ROWS MODULE \
	CHANNEL TWICE RUNS JOBS LIFT NIGHTS PORT WHATIF TRIALS CHROMIUM SHOTS PYTHON SHELL MAKEFLAGS
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

# A line `##@` begins a group, `##` says what a target does, `#=` what it takes.
.PHONY: help
help:
	@awk '/^##@ / { printf "%s%s\n\n", groups++ ? "\n" : "", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { split($$0, part, /:.*## /); printf "  make %-14s %s\n", part[1], part[2] } \
		/^#= / { printf "  %-22s%s\n", "", substr($$0, 4) }' $(MAKEFILE_LIST)

##@ Try it (nothing leaves this machine)

.PHONY: run
run: setup-run ## Play 45 days on the embedded AWS
#= ACCOUNTS=file.csv EVENTS=file.jsonl START=2026-12-01 DAYS=30
#= ENCODING=big5 COMPLETE=list.csv (a lender's whole list, on the second day)
#= POLICIES=folder LENDER=demo-tw OUT=folder
	@$(BIN)/python -m tests.local $(if $(ENCODING),--encoding="$(ENCODING)") \
		$(if $(COMPLETE),--complete="$(COMPLETE)") $(if $(ACCOUNTS),--accounts="$(ACCOUNTS)") $(if $(EVENTS),--events="$(EVENTS)") \
		$(if $(START),--start="$(START)") $(if $(DAYS),--days="$(DAYS)") $(if $(OUT),--out="$(OUT)") \
		$(if $(POLICIES),--policies="$(POLICIES)") $(if $(LENDER),--lender="$(LENDER)")

.PHONY: console
console: setup-run ## Open the console over a played world: four logins, and a clock to move
#= ACCOUNTS=file.csv EVENTS=file.jsonl START=2026-12-01 DAYS=20 PORT=8765
#= ENCODING=big5 COMPLETE=list.csv POLICIES=folder LENDER=demo-tw
#= WHATIF=folder (a changed policy, to be compared with today's on the page "What if")
#= TRIALS=1 (results of made-up people with planted effects on the page Trials; a quarter of a minute)
	@$(BIN)/python -m tests.local console $(if $(ENCODING),--encoding="$(ENCODING)") \
		$(if $(COMPLETE),--complete="$(COMPLETE)") $(if $(ACCOUNTS),--accounts="$(ACCOUNTS)") $(if $(EVENTS),--events="$(EVENTS)") \
		$(if $(START),--start="$(START)") $(if $(DAYS),--days="$(DAYS)") $(if $(PORT),--port="$(PORT)") \
		$(if $(POLICIES),--policies="$(POLICIES)") $(if $(LENDER),--lender="$(LENDER)") \
		$(if $(WHATIF),--what-if="$(WHATIF)") $(if $(TRIALS),--trials)

.PHONY: effect
effect: OUT = .local/effect
effect: setup-run ## Play half a year of people on whom texts have a planted effect: what trials find of it (minutes)
#= CUSTOMERS=4000 DAYS=182 SEED=1 OUT=folder (.local/effect: report.html, effect.txt, effect.json)
#= LIFT=5 (points that the holdout ought to find) NIGHTS=7 (days between two nightly runs)
	@$(BIN)/python -m tests.local.effect $(if $(CUSTOMERS),--customers="$(CUSTOMERS)") $(if $(DAYS),--days="$(DAYS)") \
		$(if $(SEED),--seed="$(SEED)") $(if $(LIFT),--lift="$(LIFT)") $(if $(NIGHTS),--nights="$(NIGHTS)") \
		$(if $(OUT),--out="$(OUT)")

.PHONY: customer
customer: setup-run ## Show a customer's timeline: facts, decisions, texts, receipts, replies; as a page to print, too
#= CUSTOMER=C0012 OUT=folder (of the last local run)
#= STACK=dunning-prod REGION=ap-northeast-1 WHO=mei.chen WHY="complaint 117" SINCE=2026-12-01
	@$(OPS).customer $(if $(REGION),--region "$(REGION)") $(if $(STACK),--stack "$(STACK)") \
		$(if $(WHO),--who "$(WHO)") $(if $(WHY),--why "$(WHY)") $(if $(SINCE),--since "$(SINCE)") \
		$(if $(OUT),--out "$(OUT)") $(CUSTOMER)

.PHONY: preview
preview: setup-run ## Show every text of a lender as it arrives
#= LENDER=demo-tw LANGUAGE=zh-Hant COUNTRY=TW CHANNEL=email POLICIES=folder
	@$(OPS).preview $(if $(LENDER),--lender "$(LENDER)") \
		$(if $(LANGUAGE),--language "$(LANGUAGE)") $(if $(COUNTRY),--country "$(COUNTRY)") \
		$(if $(CHANNEL),--channel "$(CHANNEL)") $(if $(POLICIES),--policies "$(POLICIES)")

.PHONY: policy-check
policy-check: setup-run ## Print which limits hold, by lender and place, and where each is from
#= LENDER=demo-tw PLACE=TW POLICIES=folder REGION=ap-south-1
#= SINCE=2026-11-01 (what has changed) COUNSEL=counsel.html (a page to sign)
#= IN_FORCE=folder (the policies in force: a change of a running trial is refused)
	@$(OPS).policy_check $(if $(LENDER),--lender "$(LENDER)") \
		$(if $(PLACE),--place "$(PLACE)") $(if $(POLICIES),--policies "$(POLICIES)") \
		$(if $(REGION),--region "$(REGION)") $(if $(SINCE),--since "$(SINCE)") \
		$(if $(COUNSEL),--counsel "$(COUNSEL)") $(if $(IN_FORCE),--in-force "$(IN_FORCE)")

.PHONY: whatif
whatif: setup-run ## Compare a changed policy with today's over your customers: texts, money, hours, people
#= POLICY=folder (the changed files) ACCOUNTS=file.csv START=2026-12-01 DAYS=45 PAYMENTS=nobody, file, records or own.csv
#= POLICIES=folder (today's, if not ours) LENDER=demo-tw ENCODING=big5 SEED=1 JOBS=2 OUT=folder
#= STACK=dunning-prod REGION=ap-northeast-1 (the customers of a deployed stack; nothing is written there, but with
#= KEEP=1 WHO=mei.chen the result, for the console)
	@$(BIN)/python -m tests.local.what_if $(if $(POLICY),--policy="$(POLICY)") $(if $(POLICIES),--policies="$(POLICIES)") \
		$(if $(ACCOUNTS),--accounts="$(ACCOUNTS)") $(if $(ENCODING),--encoding="$(ENCODING)") \
		$(if $(LENDER),--lender="$(LENDER)") $(if $(START),--start="$(START)") $(if $(DAYS),--days="$(DAYS)") \
		$(if $(PAYMENTS),--payments="$(PAYMENTS)") $(if $(SEED),--seed="$(SEED)") $(if $(OUT),--out="$(OUT)") \
		$(if $(filter-out auto,$(JOBS)),--jobs="$(JOBS)") $(if $(KEEP),--keep) $(if $(WHO),--who="$(WHO)") \
		$(if $(STACK),--stack="$(STACK)") $(if $(REGION),--region="$(REGION)")

# The text goes through the environment: it may hold any sign.
.PHONY: reply
reply: export REPLY_TEXT = $(value TEXT)
reply: setup-run ## Show how a customer's reply is understood, and why
#= TEXT="paid yesterday" COUNTRY=TW ON=2026-12-01
	@$(OPS).reply --text="$$REPLY_TEXT" \
		$(if $(COUNTRY),--country "$(COUNTRY)") $(if $(ON),--on "$(ON)")

.PHONY: cost
cost: setup-run ## Print what a million reminders cost, AWS and carriers
#= REGION=ap-northeast-1
	@$(BIN)/python -m tests.bench.cost $(if $(REGION),--region "$(REGION)")

.PHONY: capacity
capacity: setup-run ## Say what a portfolio needs of AWS, what it costs a day, and what gives way first
#= INSTALMENTS=100000000 REMINDERS=10000000 RATE=635 REGION=ap-northeast-1 COUNTRY=TW ROWS=10000000 (a file)
	@$(BIN)/python -m tests.bench.capacity $(if $(INSTALMENTS),--instalments "$(INSTALMENTS)") \
		$(if $(REMINDERS),--reminders "$(REMINDERS)") $(if $(RATE),--rate "$(RATE)") \
		$(if $(REGION),--region "$(REGION)") $(if $(COUNTRY),--country "$(COUNTRY)") \
		$(if $(ROWS),--file-rows "$(ROWS)")

##@ Work on it

.PHONY: check
check: setup tools checkov locks ## Check style, types, locks, the template and the policies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/cfn-lint --append-rules cfn_lint_serverless.rules -- template.yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=ap-northeast-1 \
		$(TOOLS_VENV)/bin/sam validate --lint
	@$(BIN)/python -m tests.devtools.template_check checkov $(CHECKOV_VENV)/bin/checkov
	@$(OPS).policy_check --brief

.PHONY: test
test: setup ## Run the test suite on all cores
#= JOBS=2
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# Properties, and slow tests but those of the integration, run outside of the measure: following each of their millions of
# branches costs CPU, and all they add are a few lines.
HERE = not deployed and not stand_in and not browser
.PHONY: coverage
coverage: setup ## Run the test suite, and hold the floor of branch coverage
#= JOBS=2
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "$(HERE) and not unmeasured" \
		--cov --cov-report=term:skip-covered
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "$(HERE) and unmeasured"

.PHONY: browser
browser: browser-tools chromium ## Test the console in the machine's browser: axe, keys, widths, policy (minutes)
#= SHOTS=folder (pictures of every page) CHROMIUM=/usr/bin/chromium
	@CHROMIUM="$(CHROMIUM)" SHOTS="$(SHOTS)" $(BROWSER_VENV)/bin/python -m pytest -m browser tests/browser -n 0

.PHONY: mutants
mutants: setup ## Plant small faults in the rules, and name those that no test notices (hours; goes on where it stopped)
#= MODULE="domain/decision/*.py" JOBS=2 SAMPLE=20 (percent)
	@$(BIN)/python -m tests.mutation --jobs $(JOBS) $(if $(MODULE),--module "$(MODULE)") \
		$(if $(SAMPLE),--sample "$(SAMPLE)")

# The programs that train and examine the reader of replies.
TRAINING = PYTHONPATH=layers/dunning:layers/dunning/python

.PHONY: replies-eval
replies-eval: setup-run ## Examine the reader of replies; fail if a grave error is commoner than on record
#= EXAM=file.tsv (replies of your own) RECORD=1 (put the figures on record)
	@$(TRAINING) $(BIN)/python -m training.stale
	@$(TRAINING) $(BIN)/python -m training.evaluate $(if $(EXAM),--exam "$(EXAM)") $(if $(RECORD),--record)

.PHONY: replies-train
replies-train: setup train ## Train the reader of replies from layers/dunning/training/corpus (minutes)
	@PYTHONHASHSEED=0 OMP_NUM_THREADS=1 $(TRAINING) $(TRAIN_VENV)/bin/python -m training.train

.PHONY: replies-curve
replies-curve: setup train ## Print how the reader of replies gets better with more replies (minutes)
	@OMP_NUM_THREADS=1 $(TRAINING) $(TRAIN_VENV)/bin/python -m training.learning_curve

.PHONY: fuzz
fuzz: setup fuzzer ## Feed the parsers at the edge hostile input, guided by what it reaches; fail on a crash
#= PARSER=upload MINUTES=10 (all, a quarter of a minute each, if left out) INPUT=file (check it again)
#= KEEP=1 (put the inputs that reach most into tests/fuzz/seeds)
	@PYTHONPATH=.:layers/dunning:layers/dunning/python $(FUZZ_VENV)/bin/python -m tests.fuzz.run \
		$(if $(PARSER),--parser "$(PARSER)") $(if $(MINUTES),--minutes "$(MINUTES)") \
		$(if $(INPUT),--input "$(INPUT)") $(if $(KEEP),--keep)

.PHONY: e2e
e2e: RUNS = 3
e2e: build deployed ## Build, then deploy to a stand-in for AWS with IAM enforced, remind, break it, update it

.PHONY: deployed
deployed: setup stand-in ## The same with what is built already: `make build` measures, and wants the machine for itself
	$(BIN)/python -m pytest -m deployed tests/e2e/deployed --capture=no --durations=5
	$(ON_STAND_IN)

# What asks the stand-in itself, with nothing built and no functions: it is started once for the suites.
ON_STAND_IN = $(BIN)/python -m pytest -m stand_in tests/contract tests/e2e/test_races.py
.PHONY: contract
contract: setup stand-in ## Hold fakes and adapters to their contracts on the stand-in for AWS, and race briefly
	$(ON_STAND_IN)

.PHONY: races
races: RUNS = 10
races: setup stand-in ## Let 50 clients in four processes race on the stand-in, and catch planted faults (minutes)
#= RUNS=10
	@PYTHONPATH=.:layers/dunning/python $(BIN)/python -m tests.devtools.races --runs "$(RUNS)"

.PHONY: prove
prove: setup ## Prove the promises: every order of the programs and every fault within bounds (minutes)
#= SCENARIO="send x hold" PROVE=deep JOBS=2
#= SCENARIO="send x hold" REPLAY=5=lost, or SEED=7 (one schedule, step by step)
#= PLANT="publish, then claim" (a fault that is planted, and how it is found)
	@PYTHONPATH=.:layers/dunning/python PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation \
		$(if $(SCENARIO),--scenario "$(SCENARIO)") $(if $(PROVE),--prove "$(PROVE)") \
		$(if $(REPLAY),--replay "$(REPLAY)") $(if $(SEED),--seed "$(SEED)") $(if $(PLANT),--plant "$(PLANT)") \
		$(if $(filter-out auto,$(JOBS)),--jobs "$(JOBS)")

.PHONY: rows
rows: build stand-in ## Load a large file in parts on the stand-in, and show the memory of its functions
#= ROWS=20000 INSTALMENTS=6 (rows of a customer) MINUTES=15 (gives up after them) TWICE=1 (the same file again)
	$(BIN)/python -m tests.e2e.deployed.large_file $(if $(ROWS),--rows "$(ROWS)") \
		$(if $(INSTALMENTS),--instalments "$(INSTALMENTS)") $(if $(MINUTES),--minutes "$(MINUTES)") $(if $(TWICE),--twice)

.PHONY: bench
bench: setup ## Measure calls, CPU, decisions a second, import time, each beside a reference
	@set -e; for bench in $$(grep -l __main__ tests/bench/*.py | grep -v -e /scale.py -e /capacity.py); do \
		echo "== $$bench"; PYTHONPATH=.:layers/dunning/python $(BIN)/python "$$bench"; done

.PHONY: scale
scale: setup ## Play a month of a million customers on all cores, and check each text (minutes)
#= CUSTOMERS=1000000 DAYS=30 RATE=50 SAMPLE=10 (percent that the real services play, too)
	@PYTHONPATH=.:layers/dunning/python $(BIN)/python -m tests.bench.scale \
		$(if $(CUSTOMERS),--customers "$(CUSTOMERS)") $(if $(DAYS),--days "$(DAYS)") \
		$(if $(RATE),--rate "$(RATE)") $(if $(SAMPLE),--sample "$(SAMPLE)")

.PHONY: load
load: setup ## Send 20,000 texts through the real handlers in several processes, and check each (minutes)
#= CUSTOMERS=20000 RATE=100 WORKERS=2 LATENCY_MS=50 THROTTLED=20 SEED=1 OUT=folder (figures as JSON)
	@PYTHONPATH=.:layers/dunning/python $(BIN)/python -m tests.bench.load \
		$(if $(CUSTOMERS),--customers "$(CUSTOMERS)") $(if $(WORKERS),--workers "$(WORKERS)") \
		$(if $(LATENCY_MS),--latency-ms "$(LATENCY_MS)") $(if $(THROTTLED),--throttled "$(THROTTLED)") \
		$(if $(RATE),--rate "$(RATE)") $(if $(SEED),--seed "$(SEED)") $(if $(OUT),--out "$(OUT)")

.PHONY: format
format: setup ## Put the code into its form, and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: hooks
hooks: setup ## Let git run the checks of .pre-commit-config.yaml before each commit
	$(BIN)/pre-commit install

.PHONY: calendars
calendars: setup ## Write the holiday calendars anew
#= CHECK=1 (only names the files that would differ)
	$(BIN)/python -m tests.devtools.calendars $(if $(CHECK),--check)

.PHONY: schemas
schemas: setup ## Write the JSON schemas of all events anew
#= CHECK=1 (only names the files that would differ)
	@$(BIN)/python -m tests.devtools.schemas $(if $(CHECK),--check)

.PHONY: characters
characters: setup ## Write the tables of characters that stand for one another anew
	@$(BIN)/python -m tests.devtools.characters

.PHONY: nag
nag: setup ## Check the template with cdk-nag, too (needs node and npm)
	@[ -d $(NAG)/node_modules ] || (cd $(NAG) && npm ci --silent --no-audit --no-fund)
	@$(BIN)/python -m tests.devtools.template_check nag $(NAG)

.PHONY: lock
lock: setup ## Lock the dependencies anew after a change of pyproject.toml
	$(foreach lock,$(LOCKS),$(COMPILE) $(FROM_$(lock)) -o $(LOCK_$(lock)) > /dev/null &&) true

.PHONY: release-check
release-check: setup locks ## Say whether this commit can be released, and how
	@$(BIN)/python -m tests.devtools.release

.PHONY: clean
clean: ## Remove everything that can be made again
	rm -rf $(VENV) $(VENV)-* $(NAG)/node_modules
	rm -rf .local .fuzz .mutants .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
	find functions layers tests -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Run it in production (with your AWS credentials; only APPLY=1 changes anything)

.PHONY: build
build: setup tools lambda ## Build for Lambda, check what was built, measure its cold import
#= RUNS=5
	@$(TRAINING) $(BIN)/python -m training.stale
	@echo "== sam build ($(BUILD): arm64; $(HOST_BUILD): $(HOST_ARCH), to be run here)"
	@mkdir -p .aws-sam
	@ARCH=arm64 $(SAM_BUILD) --build-dir $(BUILD) > .aws-sam/build.log 2>&1 || { cat .aws-sam/build.log; exit 1; }
	@ARCH=$(HOST_ARCH) $(SAM_BUILD) --build-dir $(HOST_BUILD) > .aws-sam/host.log 2>&1 \
		|| { cat .aws-sam/host.log; exit 1; }
	@$(BIN)/python -m tests.devtools.built $(BUILD) --arch arm64 --lock $(LOCK_runtime)
	@$(BIN)/python -m tests.devtools.built $(HOST_BUILD) --arch $(HOST_ARCH) --lock $(LOCK_runtime) \
		--run-with $(LAMBDA_VENV)/bin/python --runs $(RUNS)

# What works on a deployed stack, with the credentials of whoever calls it. Only APPLY=1 changes anything.
ON_A_STACK = $(if $(REGION),--region "$(REGION)") $(if $(STACK),--stack "$(STACK)") $(if $(APPLY),--apply)

.PHONY: sms-settings
sms-settings: setup-run ## Check the account's SMS settings, or set them
#= SPEND=500 STACK=dunning-prod (or ROLE=arn) REGION=ap-northeast-1 APPLY=1
	@$(OPS).sms_settings $(ON_A_STACK) $(if $(SPEND),--spend-limit "$(SPEND)") \
		$(if $(ROLE),--role "$(ROLE)")

.PHONY: replan
replan: setup-run ## Count the wakes that a changed policy moves, or move them
#= STACK=dunning-prod REGION=ap-northeast-1 APPLY=1
	@$(OPS).replan $(ON_A_STACK)

.PHONY: erase
erase: setup-run ## Show what is stored of customers, or erase it
#= STACK=dunning-prod REGION=ap-northeast-1 CUSTOMER="C1 C2" APPLY=1
	@$(OPS).erase $(ON_A_STACK) $(CUSTOMER)

.PHONY: replies-export
replies-export: setup-run ## Write replies that people have labelled as lines of the corpus, masked, to be read
#= STACK=dunning-prod REGION=ap-northeast-1 OUT=folder (without STACK: of the local run in OUT)
	@$(OPS).replies_export $(if $(REGION),--region "$(REGION)") $(if $(STACK),--stack "$(STACK)") \
		$(if $(OUT),--out "$(OUT)")

.PHONY: restore
restore: setup-run ## Restore a table beside the one in use, then customers from there
#= STACK=dunning-prod REGION=ap-northeast-1
#= TABLE=customers AT=2026-12-01T02:00:00Z APPLY=1
#= STACK=dunning-prod REGION=ap-northeast-1 FROM=table CUSTOMER="C1 C2" APPLY=1
	@$(OPS).restore $(ON_A_STACK) $(if $(TABLE),--table "$(TABLE)") $(if $(AT),--at "$(AT)") \
		$(if $(FROM),--from "$(FROM)") $(CUSTOMER)

# ---------------------------------------------------------------- environments

# The environment grows from `run` (the local run, the operators' programs) to `dev` (checks and tests), and does not
# shrink again: a developer who runs and tests by turns installs nothing twice. The stamp says what is in it, and comes
# last. Without a stamp the set-up was interrupted, without an interpreter that is gone: then it is made anew.
.PHONY: setup setup-run
setup:
	$(call set-up,dev)
setup-run:
	$(call set-up,run)

# $(call set-up,LEVEL). uv comes by pip: the interpreter's own or, where it has none, the pip that Python carries along.
# Where uv cannot fetch packages, pip may: a company's mirror stands in pip's configuration.
define set-up
@trap 'exit 130' INT; \
began=$$(date +%s); level=$(1); uv=$$(cksum < $(LOCK_uv)); \
sum_of() { if [ "$$1" = dev ]; then cksum < $(LOCK_dev); else cksum < $(LOCK_run); fi; }; \
stamped=; [ ! -f $(STAMP) ] || stamped=$$(cat $(STAMP)); \
if [ "$${stamped#* uv }" = "$$uv" ] && $(BIN)/python $(IS_313) 2> /dev/null; then \
	case "$$stamped" in dev*) level=dev;; esac; \
	[ "$$stamped" != "$$level $$(sum_of $$level) uv $$uv" ] || exit 0; \
	echo "Setting up $(VENV) ($$level)"; \
	rm -f $(STAMP); \
else \
	found=; \
	for candidate in $(PYTHONS); do \
		if [ -n "$$candidate" ] && "$$candidate" $(IS_313) 2> /dev/null; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "No Python 3.13 with venv and ensurepip was found." \
			"Install one, or name it: make PYTHON=/path/to/python3.13 ..." >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) ($$level) with $$found"; \
	rm -rf $(VENV) && "$$found" -m venv --without-pip $(VENV) || exit 1; \
	pip="--quiet --disable-pip-version-check --no-compile --require-hashes -r $(LOCK_uv)"; \
	"$$found" -m pip --python $(BIN)/python install $$pip 2> /dev/null \
	|| { $(BIN)/python -m ensurepip > /dev/null && $(BIN)/python -m pip install $$pip; } || exit 1; \
fi; \
if [ "$$level" = dev ]; then lock=$(LOCK_dev); compile=--compile-bytecode; else lock=$(LOCK_run); compile=; fi; \
$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $$compile $$lock \
|| { echo "uv could not install $$lock: pip tries" >&2; \
	{ $(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip > /dev/null; } \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $$lock; } || exit 1; \
echo "$$level $$(sum_of $$level) uv $$uv" > $(STAMP); \
echo "Set up $(VENV) ($$level) in $$(( $$(date +%s) - began )) s"
endef

# $(call environment,FOLDER,LOCK,INSTALL): an environment that holds what INSTALL puts there, made anew when the lock
# or the interpreter has changed. Bytecode is written now: whoever runs it may have told Python not to write any.
define environment
@wanted=$$(cksum < $(2)); began=$$(date +%s); \
if [ "$$wanted" != "$$(cat $(1)/installed 2> /dev/null)" ] || ! $(1)/bin/python $(IS_313) 2> /dev/null; then \
	echo "Setting up $(1)"; \
	rm -rf $(1) && $(BIN)/python -m venv --without-pip $(1) \
	&& $(BIN)/uv pip $(3) --quiet --python $(1)/bin/python --require-hashes --compile-bytecode \
	&& echo "$$wanted" > $(1)/installed \
	&& echo "Set up $(1) in $$(( $$(date +%s) - began )) s"; \
fi
endef

.PHONY: tools
tools: setup
	$(call environment,$(TOOLS_VENV),$(LOCK_tools),sync $(LOCK_tools))

.PHONY: stand-in
stand-in: setup
	$(call environment,$(STAND_IN_VENV),$(LOCK_stand-in),sync $(LOCK_stand-in))

# The boto3 that is tested here. Lambda's own changes without notice; what we need at least is in pyproject.toml.
BOTO3 = $(shell sed -n 's/^\(boto3==[^ ]*\).*/\1/p' $(LOCK_run))
.PHONY: lambda
lambda: setup
	$(call environment,$(LAMBDA_VENV),$(LOCK_run),install -c $(LOCK_run) $(BOTO3))

.PHONY: train
train: setup
	$(call environment,$(TRAIN_VENV),$(LOCK_train),sync $(LOCK_train))

.PHONY: fuzzer
fuzzer: setup
	$(call environment,$(FUZZ_VENV),$(LOCK_fuzz),sync $(LOCK_fuzz))

.PHONY: browser-tools
browser-tools: setup
	$(call environment,$(BROWSER_VENV),$(LOCK_browser),sync $(LOCK_browser))

# Playwright would download a browser; the machine's own is used. Debian's is fetched where this may install packages.
CHROMIUM_NAMES = chromium chromium-browser google-chrome google-chrome-stable
.PHONY: chromium
chromium:
	@wanted=; \
	if [ -z "$(CHROMIUM)" ]; then found=; \
		for name in $(CHROMIUM_NAMES); do if command -v $$name > /dev/null; then found=$$name; break; fi; done; \
		[ -n "$$found" ] || wanted="chromium"; \
	fi; \
	[ -n "$$(fc-list :lang=zh 2> /dev/null | head -n 1)" ] || wanted="$$wanted fonts-noto-cjk"; \
	[ -n "$$wanted" ] || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo "Installing $$wanted"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$wanted \
			> /dev/null; \
	else \
		echo "These tests need: $$wanted. Install them (Debian: apt-get install $$wanted), or name a browser:" \
			"make browser CHROMIUM=/path/to/chromium" >&2; exit 1; \
	fi

.PHONY: checkov
checkov: setup
	$(call environment,$(CHECKOV_VENV),$(LOCK_checkov),sync $(LOCK_checkov))

.PHONY: locks
locks: setup
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT; unfit=; \
	$(foreach lock,$(LOCKS),cp $(LOCK_$(lock)) "$$fresh/lock" \
	&& $(COMPILE) $(FROM_$(lock)) -o "$$fresh/lock" > /dev/null || exit 1; \
	diff -u $(LOCK_$(lock)) "$$fresh/lock" || unfit=yes; ) \
	if [ -z "$$unfit" ]; then echo "The locks fit pyproject.toml."; \
	else echo "The locks do not fit pyproject.toml: run 'make lock' and look at the difference."; exit 1; fi

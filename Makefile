# make            set up, build, and run the main job: workflows/push-t.json
# make test       set up and run all tests
# make help       everything else
.DEFAULT_GOAL := push-t
.PHONY: help setup setup-test build test check docs format clean push-t study-kills study-nights bench-start bench-push-t bench-trust bench-engine study-crashes study-random study-graphs study-fuzz study-append study-eyes bench-learn study-parity study-gym study-gaps study-cloning study-residual study-imitation study-speed
MAKEFLAGS += --no-builtin-rules

SWIFT_BUILD := swift build --configuration release
PROGRAMS    := .build/release
ENPIRE      := $(PROGRAMS)/enpire
PEERS       := .deps/peers/bin
,           := ,
SOURCES     := Package.swift $(shell find Sources Plugins -type f -not -path '*/.*' 2>/dev/null)

help: ## list what can be made
	@sed -nE 's/^([a-z%-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24
	@for f in workflows/*.json; do \
	  printf '  make %s\t%s\n' "$$(basename $$f .json)" "$$(sed -nE 's/^ *"description": "(([^"\\]|\\.)*)".*/\1/p;T;q' $$f | sed 's/\\"/"/g')" | expand -t 24; done
	@for s in 'plan	what would run, and why' 'status	how each step stands' 'report	where its page is' 'clean	remove what it published; the store keeps it'; do \
	  printf '  make NAME-%s: of each of these\n' "$$s" | expand -t 24; done

# --- machine and programs ---
.deps/ready: scripts/setup scripts/packages
	@scripts/setup && touch $@
.deps/ready-test: .deps/ready
	@scripts/setup --test && touch $@
.deps/ready-bench: .deps/ready
	@scripts/setup --bench && touch $@
.build/ready: .deps/ready $(SOURCES)
	@echo "build: compiling enpire and enpire-worker (some minutes the first time)" >&2
	@$(SWIFT_BUILD) --product enpire && $(SWIFT_BUILD) --product enpire-worker && touch $@

setup: .deps/ready ## install packages and MuJoCo's library
setup-test: .deps/ready-test ## and what the tests need
build: .build/ready ## compile enpire and enpire-worker

# --- workflows: make NAME, NAME-plan, NAME-status, NAME-report, NAME-clean for every workflows/NAME.json ---
WORKFLOWS := $(patsubst workflows/%.json,%,$(wildcard workflows/*.json))
.PHONY: $(WORKFLOWS) $(WORKFLOWS:=-plan) $(WORKFLOWS:=-status) $(WORKFLOWS:=-report) $(WORKFLOWS:=-clean)
$(filter-out nightly,$(WORKFLOWS)): %: .build/ready
	+@$(ENPIRE) run -f workflows/$*.json $(ARGS)
# As cron calls it: docs/nightly.md.
nightly: .build/ready
	@$(ENPIRE) schedule run -f workflows/nightly.json -k --tell always --gc 30d $(ARGS)
$(WORKFLOWS:=-plan): %-plan: .build/ready
	@$(ENPIRE) plan -f workflows/$*.json $(ARGS)
$(WORKFLOWS:=-status): %-status: .build/ready
	@$(ENPIRE) status -f workflows/$*.json $(ARGS)
$(WORKFLOWS:=-report): %-report:
	@[ -e workflows/results/$*.html ] || { echo "no page yet; 'make $*' makes it" >&2; exit 1; }
	@echo workflows/results/$*.html
	@[ -z "$$DISPLAY$$WAYLAND_DISPLAY" ] || ! command -v xdg-open >/dev/null || xdg-open workflows/results/$*.html
$(WORKFLOWS:=-clean): %-clean: .build/ready
	@$(ENPIRE) clean -f workflows/$*.json $(ARGS)

# --- quality ---
test: .deps/ready-test ## run all tests
	@echo "test: compiling the tests" >&2
	@$(SWIFT_BUILD) --build-tests --quiet
	@swift test --configuration release --skip-build
docs: .build/ready ## write docs/steps.md and the reference in docs/cli.md anew from the programs
	@{ head -n 4 docs/steps.md; $(ENPIRE) kinds --markdown; } > docs/steps.tmp && mv docs/steps.tmp docs/steps.md
	@{ sed '/^<!-- reference/q' docs/cli.md; echo; $(ENPIRE) reference; } > docs/cli.tmp && mv docs/cli.tmp docs/cli.md
format: ## format the sources in place
	swift format --in-place --recursive --parallel Package.swift Sources Plugins Tests
check: .deps/ready-test ## format lint, warnings as errors, build, tests
	swift format lint --strict --recursive --parallel Package.swift Sources Plugins Tests
	$(SWIFT_BUILD) --build-tests --quiet --explicit-target-dependency-import-check error -Xswiftc -warnings-as-errors
	@swift test --configuration release --skip-build

# --- studies and benchmarks: minutes, not part of the tests; figures are kept in docs/results ---
study-kills: .build/ready ## kill the main job ten times and compare its end with an undisturbed run
	@python3 Benchmarks/kills/study.py $(ENPIRE) workflows
study-nights: .build/ready .deps/ready-test ## nine nights by a real cron daemon, a minute each: overlap, kills, a full disk, a failing station; as root
	@python3 Benchmarks/nights/study.py $(ENPIRE) .deps/python/bin/python3 docs/results/nights.md
# These are tests that draw more cases than `make test` does.
STUDY = @$(SWIFT_BUILD) --build-tests --quiet && ENPIRE_STUDY=1
study-crashes: .deps/ready-test ## kill 500 runs of random graphs, fill 100 disks, and look at what is left
	$(STUDY) ENPIRE_KILLS=500 ENPIRE_DISKS=100 swift test --configuration release --skip-build --filter CrashTests.swift
study-random: .deps/ready-test ## 3000 random graphs under random edits: what runs and what comes of it, against their own arithmetic
	$(STUDY) ENPIRE_CASES=3000 swift test --configuration release --skip-build --filter DifferentialTests.swift
study-fuzz: .deps/ready-test ## a million damaged manifests, snapshots, records and directory listings
	$(STUDY) ENPIRE_FUZZ=1000000 swift test --configuration release --skip-build --filter FuzzTests.swift
study-graphs: .deps/ready-test ## run the recorded workflows of ../shared/data/wfinstances on 2, 8 and 64 workers beside an offline schedule
	$(STUDY) ENPIRE_GRAPHS=30 swift test --configuration release --skip-build --filter RealGraphTests.swift
study-append: .build/ready ## 16 processes append 1,000 steps each while runs are killed and started again
	@python3 Benchmarks/append/study.py $(ENPIRE) 16 1000 50
study-eyes: .build/ready ## pose errors, speed, memory and verifiers on the 150 episodes of DEMOS; PARTS="poses speed hour verifiers use"
	@$(SWIFT_BUILD) --product eyes-study --quiet
	@python3 Benchmarks/eyes/study.py $(PROGRAMS) $(or $(DEMOS),../shared/data/push-t-human) docs/results $(PARTS)
# Studies of Push-T are workflows: a second run takes what the first one made, and they go on after a kill.
STUDY_PUSH_T = cd Benchmarks/push-t && ../../$(ENPIRE) run $(ARGS) -f
REPORT       = python3 Benchmarks/push-t/report.py docs/results
study-parity: .deps/ready-test ## compare Push-T with gym-pusht: steps, whole episodes, blows into walls, pictures
	$(STUDY) swift test --configuration release --skip-build --filter GymPushT
study-gym: .build/ready .deps/ready-test ## 1000 held-out episodes of the planner on the unmodified gym-pusht
	@$(STUDY_PUSH_T) gym.json
	@$(REPORT)/push-t-gym "The planner on gym-pusht" Benchmarks/push-t/gym.txt $(foreach p,full low,"$p=Benchmarks/push-t/results/gym/$p.json")
GAPS := nominal latency-1 damping-0.1 damping-0.5 radius-0.7 radius-1.3 block-1.2 noise-2px friction-0.4 gain-0.7 derivative-0.5 derivative-1.5
study-gaps: .build/ready ## 400 held-out trials in each reality gap, with a fixed and with an identifying model
	@$(STUDY_PUSH_T) gaps.json
	@$(REPORT)/push-t-gaps "The planner across reality gaps" Benchmarks/push-t/gaps.txt \
		$(foreach g,$(GAPS),"$g, fixed=Benchmarks/push-t/results/gaps/$g-false.json" "$g, identifying=Benchmarks/push-t/results/gaps/$g-true.json")
study-cloning: .build/ready ## clone 150 human demonstrations (ENPIRE_DEMOS) and 2000 planner episodes
	@$(STUDY_PUSH_T) human.json
	@$(STUDY_PUSH_T) planner.json
	@cp Benchmarks/push-t/results/human-curves.json docs/results/push-t-cloning-curves.json
	@$(REPORT)/push-t-cloning "Behaviour cloning" Benchmarks/push-t/cloning.txt "150 human demonstrations=Benchmarks/push-t/results/human.json" \
		"2000 planner episodes$(,) drawn=Benchmarks/push-t/results/planner-drawing.json" \
		$(foreach r,0 1 2,"the likeliest chunk$(,) aggregated $r times=Benchmarks/push-t/results/planner-$r.json")
study-residual: .build/ready ## learn a residual over the clone of human demonstrations by rewards, for about an hour
	@$(STUDY_PUSH_T) residual.json
	@cp Benchmarks/push-t/results/residual-curves.json docs/results/push-t-residual-curves.json
	@$(REPORT)/push-t-residual "Reinforcement learning of a residual" Benchmarks/push-t/residual.txt \
		"clone of human demonstrations=Benchmarks/push-t/results/residual-base.json" "with a residual=Benchmarks/push-t/results/residual.json"
study-imitation: .build/ready ## learn by self-imitation from a clone of human demonstrations, for 20 minutes
	@$(STUDY_PUSH_T) imitation.json
	@cp Benchmarks/push-t/results/imitation-curves.json docs/results/push-t-imitation-curves.json
	@$(REPORT)/push-t-imitation "Reinforcement learning by self-imitation" Benchmarks/push-t/imitation.txt \
		"the clone it begins as=Benchmarks/push-t/results/imitation-clone.json" "after self-imitation=Benchmarks/push-t/results/imitation.json"
bench-start: .build/ready .deps/ready-bench ## time starting up and doing nothing, beside ninja
	@python3 Benchmarks/start/study.py $(ENPIRE) $(wildcard workflows/push-t.json)
bench-trust: .build/ready .deps/ready-bench ## twelve cases of trust on enpire, ninja, make, Snakemake and DVC
	@python3 Benchmarks/trust/study.py $(ENPIRE) $(PEERS) docs/results/trust.md
bench-engine: .build/ready .deps/ready-bench ## time graphs of 1,000 to 100,000 steps beside ninja, make and Snakemake; QUICK=1 leaves out the last
	@python3 Benchmarks/engine/study.py $(ENPIRE) $(PEERS) --sizes $(if $(QUICK),1000$(,)10000,1000$(,)10000$(,)100000) \
		--report docs/results/engine.md --data docs/results/engine.json $(ARGS)
bench-push-t: .deps/ready-test ## control steps a second of the simulation and of the planner's model, beside gym-pusht
	@$(SWIFT_BUILD) --product push-t-speed --quiet && $(PROGRAMS)/push-t-speed | tee docs/results/push-t-speed.json
	@cd docs/results && python3 ../../Benchmarks/speeds.py push-t-speed
bench-learn: .deps/ready-test ## updates a second of the learners, beside the same in PyTorch
	@$(SWIFT_BUILD) --product learn-speed --quiet && $(PROGRAMS)/learn-speed | tee docs/results/learn-speed.json
	@cd docs/results && python3 ../../Benchmarks/speeds.py learn-speed
study-speed: bench-push-t bench-learn ## bench-push-t and bench-learn
clean: ## remove everything built, not what was fetched
	rm -rf .build

# Wardwatch. `make demo` and `make test` each work alone on a fresh Debian 12
# with Go and Node; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export GOFLAGS := -buildvcs=false
export CGO_ENABLED := 0

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
VISION_TAGS := vision,gocv_specific_modules,gocv_dnn
VISION_ENV := CGO_ENABLED=1 CGO_CXXFLAGS="-g -O2 -include $(CURDIR)/analytics/vision/worker/compat46.h" CGO_LDFLAGS="-g -O2 -Wl,--as-needed"
MODELS := $(or $(WARDWATCH_MODELS),$(CURDIR)/.models)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup setup-test setup-check setup-interop setup-bench setup-old
setup:
	@deploy/setup.sh run
setup-test:
	@deploy/setup.sh test
setup-check:
	@deploy/setup.sh check
setup-interop:
	@deploy/setup.sh interop
setup-bench:
	@deploy/setup.sh bench
setup-old:
	@deploy/setup.sh old

.PHONY: models
models: ## fetch, convert and check the models and demo clips
	@go run ./internal/models/fetch --out "$(MODELS)"

.PHONY: console
console: web/node_modules/.installed
	@cd web && npm run --silent build

web/node_modules/.installed: web/package.json web/package-lock.json
	@cd web && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed

.PHONY: build
build: console vision ## build bin/wardwatch, bin/wardwatch-vision and bin/wardwatch-verify
	@go build -trimpath -ldflags "$(LDFLAGS)" -o bin/wardwatch ./cmd/wardwatch
	@go build -trimpath -ldflags "$(LDFLAGS)" -o bin/wardwatch-verify ./cmd/wardwatch-verify

.PHONY: verifier
verifier: ## build the verifier alone for other systems: bin/wardwatch-verify-linux-amd64, -linux-arm64, -windows-amd64.exe
	@for to in linux-amd64 linux-arm64 windows-amd64.exe; do \
		os=$${to%%-*} arch=$${to#*-}; \
		GOOS=$$os GOARCH=$${arch%.exe} go build -trimpath -ldflags "$(LDFLAGS)" -o bin/wardwatch-verify-$$to ./cmd/wardwatch-verify; \
	done
	@ls -l bin/wardwatch-verify-*

.PHONY: vision
vision:
	@$(VISION_ENV) go build -trimpath -ldflags "$(LDFLAGS)" -tags $(VISION_TAGS) -o bin/wardwatch-vision ./cmd/wardwatch-vision
	@install -m 644 .tools/lib/libonnxruntime.so bin/

.PHONY: ready
ready: setup models build

.PHONY: demo
demo: ready ## run a small simulated hospital; prints a URL and a one-time sign-in
	@bin/wardwatch demo

.PHONY: demo-check
demo-check: ready ## do the whole demo unattended; non-zero unless every step really happened
	@bin/wardwatch demo --check

.PHONY: test-shown-again
test-shown-again: setup-test ## code recorded bedsides again and look whether they are found (2 minutes)
	@WARDWATCH_SHOWN_AGAIN=1 go test ./rounds -run TestShownAgain -count=1 -v

.PHONY: test test-units test-demo
test: setup-test ready ## set up and run every test
	@$(MAKE) --no-print-directory -j2 --output-sync=line test-units test-demo
	@cd web && npm run --silent e2e
test-units: # three packages at a time: they wait for cameras, servers and each other more than they work
	@go vet ./...
	@nice -n 5 go test -p 3 -timeout 20m ./... # the demo beside them judges every bill in time
test-demo: # waits for the simulated day; the browsers' tests use its folder and its clips afterwards
	@bin/wardwatch demo --check --listen 127.0.0.1:0

.PHONY: crash
crash: setup-test ready ## kill the service 200 times while it records, and it, its database and worker while bills stream in
	@WARDWATCH_TEST_KILLS=$(or $(KILLS),200) go test -run 'TestKill9' -timeout 2h -v ./cmd/wardwatch

.PHONY: whole
whole: setup-test ## settlements, sightings, looks and restarts in CHECKS (200) random orders on both databases; minutes
	@go test ./analytics -run 'TestWhateverComesWhenever' -timeout 2h -v -rapid.checks=$(or $(CHECKS),200)

.PHONY: seeds
seeds: ## cut the power at 1,000 (SEEDS) random moments of a recording; about 2 minutes
	@WARDWATCH_SEEDS=$(or $(SEEDS),1000) go test -run 'TestPowerLoss' -timeout 2h -v ./ingest

.PHONY: replays
replays: setup-test ready ## conduct and replay VISITS (30) visits beside six busy loops; half an hour
	@WARDWATCH_REPLAYS=$(or $(VISITS),30) go test ./rounds -run TestReplaysUnderLoad -count=1 -timeout 4h -v

.PHONY: mutants
mutants: ## change every byte of an evidence package, and reject each change with both verifiers; 5 minutes
	@WARDWATCH_MUTANTS=all go test ./storage/evidence/... -run 'TestEveryChangedByte|TestPackageCarries|TestThePageChecksWhoSigned' -count=1 -timeout 4h -v

.PHONY: kills
kills: ## kill -9, a full disk and broken answers at every commit, file call and S3 request of a case's life, on both engines and stores; an hour
	@WARDWATCH_TEST_KILLS=0 go test ./storage -run 'TestKill9OfACase|TestAFullDiskInACase|TestFaultsOfS3InACase' -count=1 -timeout 4h

.PHONY: trees
trees: ## compare TREES (100000) generated Merkle trees with two other implementations; minutes
	@WARDWATCH_TREES=$(or $(TREES),100000) go test ./storage/evidence/page -run TestThreeImplementations -count=1 -timeout 2h -v

.PHONY: fuzz
fuzz: ## every fuzzer for FUZZTIME (10s)
	@grep -rE '^func Fuzz' --include='*_test.go' --exclude-dir=node_modules . | sed -E 's|^(.*)/[^/]*:func (Fuzz[A-Za-z0-9]+).*|\1 \2|' | while read -r folder name; do \
		echo "$$name"; go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(or $(FUZZTIME),10s) -fuzzminimizetime 10x "$$folder"; \
	done

.PHONY: fuzz-vision
fuzz-vision: ready ## feed damaged video and photos to the vision workers for FUZZTIME (10m)
	@WARDWATCH_FUZZ_VISION=$(or $(FUZZTIME),10m) go test -run 'TestDamagedBitstreams' -timeout 24h -v ./analytics/vision

.PHONY: health
health: ready ## watch 24 h of painted video for alarms that are none, and find 144 faults
	@HEALTH_HOURS=$(or $(HOURS),24) go test -run 'TestAnOrdinaryDay|TestFaultsOfADay' -timeout 4h -count=1 ./analytics -v | grep '^camera health\|^---\|^ok\|FAIL'

.PHONY: soak
soak: setup-test ready ## 16 cameras for SOAK (1h), half of it under faults; SOAK_STACK=servers for PostgreSQL and MinIO
	@SOAK=$(or $(SOAK),1h) SOAK_STACK=$(SOAK_STACK) go test -run 'TestSoak' -timeout 24h -v ./cmd/wardwatch

.PHONY: interop
interop: setup-test setup-interop ## record from MediaMTX, ffmpeg and GStreamer servers
	@go test -tags interop -run 'TestInterop|TestFFmpegPublishing|TestStock' -timeout 20m -v ./ingest

.PHONY: old-browser
old-browser: setup-test setup-old ready ## verify packages, answer a visit, begin a shift, ring a tablet and open shared evidence in a Chromium of 2021; 5 minutes
	@cd web && OLD_BROWSER="$(CURDIR)/.tools/old" node e2e/run.mjs verify round share dutylink tablet

.PHONY: check
check: setup-check web/node_modules/.installed ## format, lint with the import rules, vet, dead code, TypeScript
	@out=$$(.tools/bin/gofumpt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not gofumpt-clean (run: .tools/bin/gofumpt -w FILE):"; echo "$$out"; exit 1; }
	@go vet ./...
	@.tools/bin/golangci-lint run ./...
	@$(VISION_ENV) .tools/bin/golangci-lint run --build-tags $(VISION_TAGS) ./analytics/vision/worker/... ./cmd/wardwatch-vision/... ./bench/engines/...
	@out=$$(.tools/bin/deadcode -test ./...); test -z "$$out" || { echo "dead code:"; echo "$$out"; exit 1; }
	@cd web && npm run --silent check

.PHONY: outage
outage: setup-test ## the object store away for 60 s beside a recording camera
	@WARDWATCH_TEST_OUTAGE=60s go test -run TestStoreOutageBesideACamera -v -timeout 10m ./ingest

.PHONY: network
network: setup-test ready ## pull the cable of bedsides in network namespaces, also of a real browser, and give it thin, lossy and walled lines (root); 8 minutes
	@WARDWATCH_NETWORK=1 go test ./rounds -count 1 -v -run TestTheCableIsPulled
	@cd web && npm run --silent e2e:network

.PHONY: bench
bench: setup-test setup-bench ready ## benchmarks, as ratios against a peer or limit measured in the same run; PEER_GALENE=/path/to/galene
	@$(VISION_ENV) go build -trimpath -tags $(VISION_TAGS) -o bin/wardwatch-engines ./bench/engines
	@PEER_MEDIAMTX="$(or $(PEER_MEDIAMTX),$(CURDIR)/.tools/bin/mediamtx)" go test -run '^$$' -bench . -benchtime 2s -timeout 1h ./bench/...

.PHONY: eval-rounds
eval-rounds: ready ## who passes a ward round's checks: simulated patients and attacks over WebRTC; EVAL_ARGS="--genuine 40 --attacks 20 --at-once 4"
	@mkdir -p "$(EVAL_DIR)"
	bin/wardwatch eval rounds --dir "$(EVAL_DIR)" --json "$(EVAL_DIR)/rounds.json" $(EVAL_ARGS)

.PHONY: sweep
sweep: ready ## sweep BEDS (50) simulated beds by one inspector over WebRTC; SWEEP_ARGS="--institutions 10 --at-once 12 --within 15m"
	@mkdir -p "$(CURDIR)/.sweep"
	bin/wardwatch sim sweep --dir "$(CURDIR)/.sweep" --beds $(or $(BEDS),50) --json "$(CURDIR)/.sweep/report.json" $(SWEEP_ARGS)

.PHONY: eval
EVAL_DIR := $(CURDIR)/.eval
eval: ready ## how right the alerts are, on EVAL_FACES=FOLDER of labelled faces (or the demo clips); half an hour; EVAL_ARGS="--cameras 12"
	@mkdir -p "$(EVAL_DIR)"
	@if test -e "$(EVAL_FACES)/faces112.tar" && ! test -d "$(EVAL_DIR)/faces"; then \
		mkdir "$(EVAL_DIR)/faces.part" && tar -xf "$(EVAL_FACES)/faces112.tar" -C "$(EVAL_DIR)/faces.part" && cp "$(EVAL_FACES)/manifest.csv" "$(EVAL_DIR)/faces.part" && mv "$(EVAL_DIR)/faces.part" "$(EVAL_DIR)/faces"; \
	fi
	@folder="$(EVAL_FACES)"; if test -e "$$folder/faces112.tar"; then folder="$(EVAL_DIR)/faces"; fi; \
	if test -n "$$folder"; then bin/wardwatch face eval --images "$$folder"; fi; \
	bin/wardwatch eval counters --dir "$(EVAL_DIR)" --json "$(EVAL_DIR)/counters.json" $${folder:+--faces "$$folder"} $(EVAL_ARGS)

.PHONY: clean
clean: ## remove what was built (not the models)
	@rm -rf bin web/dist/console web/dist/bedside .demo .eval

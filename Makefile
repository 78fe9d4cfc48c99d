# Lanyard: build, try, test. "make help" lists the targets.

GO      ?= go
ROUNDS  ?= 3
SCENARIO ?= all
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN      = build/bin
PAGES_NEED = frontend/node_modules/.installed
FLAGS    = -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

# The tray of macOS alone is not written in Go.
TRAY_CGO = $(if $(filter Darwin,$(shell uname)),1,0)

# Where Go's own installer puts it, and shells often do not look.
export PATH := $(PATH):/usr/local/go/bin

.DEFAULT_GOAL := help
.PHONY: help need-go build web desktop pictures package demo test test-long bench profiles at-rest ratios run lint fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

need-go:
	@build/need.sh go

build: need-go ## build the program into build/bin
	CGO_ENABLED=0 $(GO) build $(FLAGS) -o $(BIN)/ ./cmd/lanyard

web: ## build the pages that a browser shows into frontend/dist
	@build/need.sh node npm
	@$(MAKE) --no-print-directory $(PAGES_NEED)
	cd frontend && npm run --silent build

# What the pages are built with is installed when the list of it changed. npm
# removes the directory first, so that the mark stands only where all is there.
$(PAGES_NEED): frontend/package-lock.json
	cd frontend && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

desktop: need-go web ## build the window into build/bin, beside the program with its tray
	@build/need.sh webview
	CGO_ENABLED=$(TRAY_CGO) $(GO) build -tags tray $(FLAGS) -o $(BIN)/ ./cmd/lanyard
	$(GO) build -tags desktop,production,webkit2_41 $(FLAGS) -o $(BIN)/lanyard-desktop .

pictures: web build ## make the pictures of the README again (Linux, root)
	@build/need.sh chromium ip nft unshare
	cd frontend && LANYARD_BIN=$(CURDIR)/$(BIN)/lanyard node test/pictures.mjs

package: web ## build the packages for Debian, RPM and Windows into build/package/out
	@build/need.sh go gcc webview makensis
	build/package.sh $(VERSION) build/package/out

demo: build ## two real devices on this machine keep a folder the same
	@$(GO) run ./build/demo -lanyard $(BIN)/lanyard

test: ## every check that CI runs (at most 25 minutes on two cores)
	@build/test.sh

test-long: ## soaks and thousands of seeds
	@LANYARD_LONG=1 build/test.sh

bench: build ## the same work side by side with syncthing and rsync
	@build/need.sh syncthing rsync python3
	python3 build/bench/side_by_side.py --lanyard $(BIN)/lanyard --syncthing syncthing --rsync rsync --scenario all --scale 0.25 --rounds $(ROUNDS)

ratios: need-go ## the bounds of the hot paths and what this machine can do at best
	@build/need.sh python3
	python3 build/bench/ratios.py --floors

profiles: need-go ## where the time of the same work goes, SCENARIO=all or some of them
	@build/need.sh python3
	python3 build/bench/profiles.py --scenario $(SCENARIO)

at-rest: build ## memory and processor time at rest, and a million files, beside syncthing
	@build/need.sh syncthing python3
	python3 build/bench/at_rest.py --lanyard $(BIN)/lanyard --syncthing syncthing

run: ## open the window; without a display, print an address for a browser
	@build/run.sh $(BIN)

lint: need-go ## format, vet and staticcheck only
	@build/test.sh format vet staticcheck

fuzz: need-go ## every fuzz target, sharing 80 seconds
	@build/test.sh fuzz

clean: ## remove what was built
	rm -rf $(BIN) build/cache

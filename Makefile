# Branchline. `make` lists what there is; all that is made lies in build/.

GO      ?= go
APT     ?= apt-get
# What the tests need of other makers, as program:package of Debian.
PEERS   := sipp:sip-tester baresip:baresip-core kamailio:kamailio ip:iproute2 ofonod:ofono gammu:gammu dbus-send:dbus \
           tshark:tshark nft:nftables linphonec:linphone-cli sipsak:sipsak chromium:chromium node:nodejs npm:npm
# What the page is built and tested with, from the lock.
NODE_MODULES := ui/web/node_modules/.package-lock.json
FUZZ    ?= 20s
BENCH   ?= .
PKG     ?= ./...
missing := $(strip $(foreach p,$(PEERS),$(if $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v $(firstword $(subst :, ,$(p))) 2>/dev/null),,$(lastword $(subst :, ,$(p))))))

.DEFAULT_GOAL := help
.PHONY: help run build prompts web web-check apt-deps test test-unit race bench deps lint fuzz clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build prompts ## start the box on the simulated board with two phones, show a call from ring to record
	$(GO) run ./tools/demo -programs build -data build/run

build: ## build build/branchline, and build/phone to try it with
	CGO_ENABLED=0 $(GO) build -trimpath -o build/branchline ./firmware
	CGO_ENABLED=0 $(GO) build -trimpath -o build/phone ./tools/phone

prompts: ## put the prompts into build/prompts, without root: English recordings, Chinese by espeak-ng
	@images/prompts/unpack.sh build/prompts
	@GO="$(GO)" images/prompts/speak.sh build/prompts

test: deps prompts ## run all tests, end to end too; a peer that is missing fails
	$(GO) test $(PKG) -count=1 -parallel 6 -timeout 15m

test-unit: ## run the tests of each package alone; they need no other maker's programs
	$(GO) test $$($(GO) list $(PKG) | grep -v /e2e$$) -skip 'Sipp|Baresip|Ofono|Gammu|Wireshark' -count=1 -timeout 5m

race: ## run all tests under the race detector (needs gcc)
	CGO_ENABLED=1 $(GO) test -race $(PKG) -count=1 -timeout 20m

bench: build ## run the benchmarks and measure the whole box; BENCH=Step PKG=./pbx/floor picks
	$(GO) test $(PKG) -run '^$$' -bench '$(BENCH)' -benchmem | grep -v -e '^?' -e '^ok'
	$(GO) run ./tools/bench -program build/branchline

web: $(NODE_MODULES) ## build the page anew into ui/web/dist, which is committed; needs node, nothing else does
	cd ui/web && npm run --silent build

web-check: $(NODE_MODULES) ## check the types of the page, and that ui/web/dist is what its sources give
	cd ui/web && npm run --silent check && npm run --silent build -- --outDir ../../build/web --emptyOutDir --logLevel warn
	@diff -r build/web ui/web/dist || { echo "ui/web/dist is not what its sources give: make web"; exit 1; }

$(NODE_MODULES): ui/web/package-lock.json
	cd ui/web && npm ci --no-audit --no-fund
	@touch $@

deps: apt-deps $(NODE_MODULES) ## install what the tests need of other makers (apt, root; npm); nothing to do where it is there

apt-deps:
ifneq ($(missing),)
	@if [ "$$(id -u)" != 0 ]; then \
		echo "make deps: missing: $(missing)" >&2; \
		echo "make deps: as root run: $(APT) install --no-install-recommends $(missing)" >&2; \
		exit 1; \
	fi
	timeout 300 $(APT) -q update
	DEBIAN_FRONTEND=noninteractive timeout 600 $(APT) -q install -y --no-install-recommends $(missing)
else
	@:
endif

lint: ## check format, vet, the shape of the house and the scripts; print its measures
	@unformatted=$$(find . -name '*.go' -not -path './build/*' -not -path '*/testdata/*' -exec gofmt -l {} +) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "gofmt -w is due for:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	for script in images/prompts/*.sh; do sh -n $$script || exit 1; done
	$(GO) run ./tools/archtest
	$(GO) run ./tools/measure
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web-check; else echo "no npm: ui/web/dist is not checked"; fi

fuzz: ## fuzz each target for FUZZ (20s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' hal drivers board pbx ui firmware tools | sort | \
	sed 's|/[^/]*\.go:func | |' | while read -r pkg target; do \
		echo "== $$pkg $$target"; \
		$(GO) test ./$$pkg -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ) -fuzzminimizetime 100x || exit 1; \
	done

clean: ## remove build/
	rm -rf build

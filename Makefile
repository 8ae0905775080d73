# Ingot's commands. `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
FIRMWARE ?= uefi

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: prerequisites
prerequisites: ## install what the other targets need (Debian 12, root or sudo)
	@.ci/prerequisites

.PHONY: build
build: agents ## bin/ingot, bin/ingot-static, bin/deploy-agent, bin/deploy-agent-arm64
	CGO_ENABLED=1 go build -trimpath -tags libvirt_dlopen,embed_agents -ldflags=-s -o bin/ingot ./cmd/ingot
	CGO_ENABLED=0 go build -trimpath -tags embed_agents -ldflags=-s -o bin/ingot-static ./cmd/ingot

.PHONY: agents
agents: ## the ramdisk agents alone
	CGO_ENABLED=0 GOARCH=amd64 go build -trimpath -ldflags='-s -w' -o bin/deploy-agent ./deploy-agent
	CGO_ENABLED=0 GOARCH=arm64 go build -trimpath -ldflags='-s -w' -o bin/deploy-agent-arm64 ./deploy-agent
	cp bin/deploy-agent bin/deploy-agent-arm64 cmd/ingot/agents/

.PHONY: lab
lab: prerequisites build ## a virtual rack: enrol, inspect, clean, deploy and log in (FIRMWARE=bios|uefi)
	@bin/ingot lab tour --firmware $(FIRMWARE)

.PHONY: test
test: prerequisites ## everything a contributor must pass
	@.ci/test

.PHONY: lint
lint: ## vet, staticcheck, gofumpt
	@.ci/lint

.PHONY: bench
bench: prerequisites build ## speed and memory against the peers, as ratios of one run
	@.ci/bench

.PHONY: e2e
e2e: prerequisites build ## every pair of firmware and image format on QEMU machines; a compute host with a KVM guest; a guest that becomes metal and a guest again
	INGOT_E2E=all go test -count=1 -timeout 120m -v -tags libvirt_dlopen -run 'TestEndToEnd|TestComputeHost|TestInterchange' ./lab

.PHONY: interop
interop: prerequisites ## the same requests to Ingot and to Debian's OpenStack Ironic, and what differs (VERBOSE=-v)
	@.ci/interop

CHAOS_TIME ?= 10m

.PHONY: chaos
chaos: prerequisites ## conductors and database killed and stopped at random (CHAOS_TIME=10m, SEED=n, CHAOS_NODES=n, CHAOS_OLDER=commit of a first conductor)
	CHAOS_TIME=$(CHAOS_TIME) SEED=$(SEED) CHAOS_NODES=$(CHAOS_NODES) CHAOS_OLDER=$(CHAOS_OLDER) go test -count=1 -timeout 0 -v -run '^TestChaos$$' ./lab/chaos

.PHONY: clean
clean: ## remove what was built
	rm -rf bin cmd/ingot/agents/deploy-agent*

# SPDX-License-Identifier: GPL-3.0-or-later
# Names for what tools/checks does; `make` alone lists them.

# The distribution's own, not one that a version manager put first
PYTHON ?= /usr/bin/python3
CHECKS := $(PYTHON) tools/checks

.DEFAULT_GOAL := help
.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test setup lint types licences bpf dist environment installed sanity units page integration kernel service
test: ## everything below, as root on a fresh Debian 12
	@$(CHECKS)
setup: ## packages, .venv and the work tree in .build; every phase does this first
lint: ## ruff, yamllint, ansible-lint, shellcheck, the changelog's fragments, the workflows
types: ## mypy --strict
licences: ## an SPDX line in every file
bpf: ## a rebuild of the BPF objects gives the bytes in the tree
dist: ## build the tarball into dist/, twice with the same bytes, and check what is in it
environment: ## what ansible-builder makes of the execution environment
installed: ## the tarball in an empty environment: documentation, examples, real devices (root)
sanity: ## ansible-test sanity
units: ## ansible-test units, on every Python found
page: ## the report of virtnet.rss.audit, in a headless browser
integration: ## ansible-test integration, on real TAP devices of this host (root)
kernel: ## tests/kernel and a small part of the long tests, on this host's kernel (root)
service: ## tests/service, the service on real TAP devices (root)
setup lint types licences bpf dist environment installed sanity units page integration kernel service:
	@$(CHECKS) $@

.PHONY: fleet guests test-fleet test-guests test-vms
test-vms: ## molecule's scenarios kernels, default and unsupported: the collection in VMs, from Linux 5.10 to 7.x
	@$(CHECKS) vm-kernels vm-default vm-unsupported
test-guests: ## real QEMU guests on TAP devices of this host, and in VMs (molecule's scenarios guest and libvirt)
	@$(CHECKS) guests vm-guest vm-libvirt
test-fleet: ## the playbooks over network namespaces with guests, and over VMs (molecule's scenario fleet)
	@$(CHECKS) fleet vm-fleet
SCENARIOS := $(addprefix vm-,$(filter-out shared,$(notdir $(wildcard molecule/*))))
.PHONY: $(SCENARIOS)
fleet guests $(SCENARIOS):
	@$(CHECKS) $@

.PHONY: matrix
matrix: ## ansible-test of every maintained ansible-core (25 minutes); with CORES="2.17 2.20" of these
	@CORES='$(CORES)' $(CHECKS) $@

.PHONY: changelog
changelog: ## for a release: CHANGELOG.md out of the fragments, for the version in galaxy.yml
	@$(CHECKS) $@

.PHONY: docs
docs: ## the documentation site, in .build/docs/html
	@$(CHECKS) $@

.PHONY: fuzz parsers faults traffic soak robustness
fuzz: ## a million frames through the program and the reference
parsers: ## coverage-guided fuzzing of what parses other people's bytes
faults: ## every system call of attach, replace and detach fails, or is the last one
traffic: ## a million packets during 3,000 exchanges of the program
soak: ## the service for ten minutes; with MINUTES=N for N
fuzz parsers faults traffic:
	@tests/robustness/run $@
soak:
	@tests/robustness/run soak --minutes $(or $(MINUTES),10)
robustness: fuzz parsers faults traffic soak ## all five, and docs/robustness.md of their figures
	@tests/robustness/run page

.PHONY: bench
bench: ## ours beside QEMU's own program and beside nothing (bench/); writes bench/results/latest.json
	@bench/run

.PHONY: demo
demo: ## the main job on real packets; with TAPS="vnet0" only show the plan for these devices; PICTURE=FILE.svg draws it
	@TAPS='$(TAPS)' PICTURE='$(PICTURE)' tests/demo/run

.PHONY: clean
clean: ## remove what the targets above made
	rm -rf .venv .build .ansible .mypy_cache .pytest_cache .ruff_cache dist tests/output
	$(MAKE) -C bpf clean

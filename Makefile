# SPDX-License-Identifier: GPL-3.0-or-later
# Names for the sessions of noxfile.py and for some scripts; `make` alone lists them.

SESSIONS := $(shell sed -nE 's/^(def |simple.")([a-z]+)(.run: Phase[^ ]*|",) .*/\2/p' noxfile.py)
SCENARIOS := $(patsubst molecule/%/molecule.yml,vm-%,$(wildcard molecule/*/molecule.yml))

.PHONY: help test $(SESSIONS) $(SCENARIOS) test-vms test-guests test-fleet \
	fuzz parsers faults traffic soak robustness bench demo clean
help: ## this list
	@awk -F '"' '/^def [a-z]+\(run: Phase/ { split($$0, word, /[ (]/); name = word[2]; getline; text = $$4 } \
		/^simple/ { name = $$2; text = $$4 } \
		name { printf "  make %-12s %s\n", name, text; name = "" }' noxfile.py
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
test: ## all that is quick, as root on a fresh Debian 12: what TEST in noxfile.py names
	@tools/check
$(filter-out matrix,$(SESSIONS)):
	@tools/check $@
$(SCENARIOS): vm-%:
	@tools/check 'vm($*)'
test-vms: ## molecule's scenarios kernels, default and unsupported: the collection in VMs, from Linux 5.10 to 7.x
	@tools/check 'vm(kernels)' 'vm(default)' 'vm(unsupported)'
test-guests: ## real QEMU guests on TAP devices of this host, and in VMs (molecule's scenarios guest and libvirt)
	@tools/check guests 'vm(guest)' 'vm(libvirt)'
test-fleet: ## the playbooks over network namespaces with guests, and over VMs (molecule's scenarios fleet and upgrade)
	@tools/check fleet killed 'vm(fleet)' 'vm(upgrade)'
matrix:
	@tools/check $(or $(patsubst %,'matrix(%)',$(CORES)),matrix)

fuzz: ## a million frames through the program and the reference
parsers: ## coverage-guided fuzzing of what parses other people's bytes
faults: ## every system call of attach, replace and detach fails, or is the last one
traffic: ## a million packets during 3,000 exchanges of the program
soak: ## the service for ten minutes; with MINUTES=N for N
hostile: ## the service beside a neighbour who means harm
fuzz parsers faults traffic soak hostile:
	@tests/robustness/run $@ $(if $(filter soak,$@),--minutes $(or $(MINUTES),10))
robustness: fuzz parsers faults traffic soak hostile ## all six, and docs/robustness.md of their figures
	@tests/robustness/run page
bench: ## ours beside QEMU's own program and beside nothing (bench/); writes bench/results/latest.json
	@bench/run
demo: ## the main job on real packets; with TAPS="vnet0" only show the plan for these devices; PICTURE=FILE.svg draws it
	@TAPS='$(TAPS)' PICTURE='$(PICTURE)' tests/demo/run
clean: ## remove what the targets above made
	rm -rf .venv .build .ansible .mypy_cache .nox .pytest_cache .ruff_cache dist tests/output
	$(MAKE) -C bpf clean

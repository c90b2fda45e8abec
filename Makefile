# The commands a person types. Each is a script of the same name in scripts/; this file only lists them.

.DEFAULT_GOAL := help
.PHONY: package test-package test-image help demo test simulate torture bench bench-compare up down status build build-debug lint format docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: ## a handful of payments through a processor of its own, every outcome checked
	@scripts/demo

test: ## the whole suite against real servers of its own (TEST_ARGS='--filter CoreTests' for a part, RABBITMQ=4.0 for another broker)
	@scripts/test $(TEST_ARGS)

simulate: ## ten thousand made-up worlds full of crashes, judged from outside (scripts/simulate --seed N for one)
	@scripts/simulate

torture: ## ten minutes of kills and storms on real processes, then three ledgers are compared (TORTURE_ARGS='--seconds 120 --seed 7')
	@scripts/torture $(TORTURE_ARGS)

bench: ## commands a second, latencies, CPU and memory of each part (BENCH_ARGS='lifecycle rate:300')
	@scripts/bench $(BENCH_ARGS)

bench-compare: ## the same for this clone and for a commit, in turns (BASE=COMMIT, BENCH_ARGS='lifecycle --count 6000')
	@scripts/bench-compare '$(BASE)' $(BENCH_ARGS)

up: ## start RabbitMQ, PostgreSQL and the bank simulator, addresses in .local/env
	@scripts/up

down: ## stop what up started and remove its data
	@scripts/services down

status: ## what of it is running
	@scripts/services status

build: ## release binaries: .build/release/processor, publisher, bank-simulator
	@scripts/build release

build-debug: ## debug binaries, in .build/debug
	@scripts/build debug

package: ## Debian packages in .local/packages (PACKAGE_ARGS='--configuration debug' to try the packaging)
	@scripts/package $(PACKAGE_ARGS)

test-package: ## installs, starts, upgrades from an earlier commit and removes them in a Debian 12 of its own, as root (PACKAGE_ARGS)
	@scripts/test-package $(PACKAGE_ARGS)

test-image: ## builds the container images of them by podman and runs them as the compose file says, as root (PACKAGE_ARGS)
	@scripts/test-image $(PACKAGE_ARGS)

lint: ## format, scripts, compose file, links of the documentation, contract, alerts, file sizes
	@scripts/lint

format: ## put the Swift files into the project's format
	@swift format --in-place --recursive --parallel Package.swift Sources Tests migrations examples

docs: ## the reference of Core, by DocC, in .build/docs
	@scripts/docs

clean: ## stop everything of this clone, remove .local and .build
	@scripts/clean

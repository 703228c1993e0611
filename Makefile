# Familiar names for the scripts in scripts/; nothing is done here that they do not do.
.PHONY: start build worker api-dev test test-all lint bench chaos model upgrade db-up db-reset stop clean verify-images

start: ; @node scripts/start.mjs
# Installs and builds, and runs nothing.
build: ; @node scripts/build.mjs
# A worker on this host; ARGS="--api-url http://tasks.internal:8000 --catalog catalog.yaml".
worker: ; @node scripts/worker.mjs $(ARGS)
# The API from its sources, started again on every change.
api-dev: ; @node scripts/dev.mjs
# The packages' tests; test-all adds linting and the whole-system tests.
test: ; @node scripts/test.mjs --quick
test-all: ; @node scripts/test.mjs
lint: ; @node scripts/lint.mjs
# Measures; ARGS="--full --peers" for instance.
bench: ; @node scripts/bench.mjs $(ARGS)
# Breaks everything by seed and checks what remains; ARGS="--seconds 120 --seed 7", or ARGS=mutants.
chaos: ; @node scripts/chaos.mjs $(ARGS)
model: ; @node scripts/model.mjs $(ARGS)
upgrade: ; @node scripts/upgrade.mjs $(ARGS)
# The embedded PostgreSQL alone: prints its URL, runs until Ctrl-C.
db-up: ; @node scripts/database.mjs up
# Deletes the embedded PostgreSQL's data; YES=1 does not ask.
db-reset: ; @node scripts/database.mjs reset $(if $(YES),--yes)
# Ends the `npm start` that runs on the data folder.
stop: ; @node scripts/stop.mjs
# Removes what was installed and built, never the data.
clean: ; @node scripts/clean.mjs
# Builds both images and runs a task through them; by hand, as root.
verify-images: ; @scripts/verify-images.sh

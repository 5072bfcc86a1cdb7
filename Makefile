# Thin: each target calls one script or cargo. See README.md.
.PHONY: build run test docs-check chaos bench dist deb clean

# Leaves target/release/aiagent-host, with the web page in it, and target/plugins/*.wasm.
build:
	.ci/setup.sh build
	plugins/build.sh
	frontend/build.sh
	cargo build --release --locked --bin aiagent-host

# Serves, and works on a sample task, from recordings unless AIAGENT_MODEL_URL names a model.
run: build
	host/samples/run.sh

test:
	.ci/setup.sh test
	.ci/test.sh

# Runs every command of the documents, and compares what they say with the program. A part of `make test`.
docs-check: build
	python3 .ci/docs_check

# Minutes of trouble for the stores: AIAGENT_CHAOS_SECONDS, AIAGENT_CHAOS_SEED. `make test` runs seconds of it.
chaos:
	AIAGENT_CHAOS_SECONDS=$${AIAGENT_CHAOS_SECONDS:-600} cargo test --release --locked --workspace --test chaos -- --nocapture

# Leaves target/dist/aiagent-host-VERSION-ARCH-linux.tar.gz, which install.sh takes.
dist: build
	.ci/dist.sh

# Leaves target/dist/aiagent-host_VERSION-1_ARCH.deb.
deb: build
	.ci/setup.sh deb
	.ci/deb.sh

# Prints each figure with a ratio against a baseline measured in the same run.
bench: build
	cargo bench --locked --bench '*'

clean:
	cargo clean

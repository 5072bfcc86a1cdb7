#!/usr/bin/env bash
# All checks, in the order in which they fail fastest. Called by `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."

begin=$SECONDS
part() {
  echo
  echo "== $* ($((SECONDS - begin)) s)"
}

part shellcheck
git ls-files -z '*.sh' .ci/run install.sh | xargs -0 shellcheck

part cargo fmt
cargo fmt --all --check

part page
frontend/test.sh

part cargo clippy
cargo clippy --release --workspace --all-targets --locked -- -D warnings

part build
make --no-print-directory build
plugins/build.sh examples

part cargo test
cargo test --release --workspace --locked

part description
host/tests/description/run.sh

part browser tests
frontend/test.sh browser

part python tests
(cd host/evals/humaneval && python3 -m unittest --quiet)
(cd systemd && python3 -m unittest --quiet test_install)

part documents
python3 .ci/docs_check

part chart
timeout 600 chart/tests/run.sh

part "done"

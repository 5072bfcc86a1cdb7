#!/usr/bin/env bash
# Brings what the build and the tests need beyond Rust, Node and Python. Safe to run twice: it
# installs only what is missing, and without the rights it prints the exact command instead.
#   .ci/setup.sh build    what `make build` needs
#   .ci/setup.sh test     the same and what `make test` needs
#   .ci/setup.sh deb      the same and what `make deb` needs
set -euo pipefail

want=${1:-build}
packages=()
need() { # COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || packages+=("$2")
}

need cc build-essential
need git git
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
  packages+=(python3)
fi
python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
if [ "$want" = test ]; then
  need bwrap bubblewrap
  need shellcheck shellcheck
  need redis-server redis-server
  need faketime faketime
  need chromium chromium
  need curl curl
elif [ "$want" = deb ]; then
  need help2man help2man
  need dpkg-deb dpkg-dev
fi

if ! command -v cargo >/dev/null 2>&1; then
  echo "setup: no cargo found. Install Rust 1.95 or newer: https://rustup.rs" >&2
  exit 2
fi

if [ ${#packages[@]} -gt 0 ]; then
  command="apt-get install -y --no-install-recommends ${packages[*]}"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "setup: $command"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    $command >/dev/null
  else
    echo "setup: missing: ${packages[*]}. As an administrator, run:" >&2
    echo "  sudo apt-get update && sudo $command" >&2
    exit 2
  fi
fi

if [ "$want" = test ]; then
  oidc=$(dirname "$0")/../host/tests/oidc
  if [ "$(sha256sum <"$oidc/package-lock.json")" != "$(cat "$oidc/node_modules/.of-lock" 2>/dev/null)" ]; then
    echo "setup: npm ci in host/tests/oidc"
    npm --prefix "$oidc" ci --prefer-offline --ignore-scripts --no-audit --no-fund --no-progress >/dev/null
    sha256sum <"$oidc/package-lock.json" >"$oidc/node_modules/.of-lock"
  fi
fi

if [ "$want" = deb ] && ! command -v cargo-deb >/dev/null; then
  echo "setup: cargo install cargo-deb"
  cargo install --quiet --locked cargo-deb@3.8.0
fi

#!/bin/sh
# Builds %name%.wasm: cargo build --release --target wasm32-unknown-unknown, with that target fetched by
# rustup, or, where it can't be, with Debian's Rust, which builds the standard library from its sources.
set -eu
cd "$(dirname "$0")"
wasm=wasm32-unknown-unknown
has_target() { ls "$(rustc --print target-libdir --target $wasm)"/libcore-*.rlib >/dev/null 2>&1; }

if ! has_target && command -v rustup >/dev/null; then
  echo "adding the target $wasm" >&2
  timeout 90 rustup target add $wasm || true
fi
if has_target; then
  cargo build --release --target $wasm
elif [ -x /usr/bin/cargo ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ]; then
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(find "$(/usr/bin/rustc --print sysroot)" "$(rustc --print sysroot)" \
    -name rust-lld -type f | head -n 1)
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
  RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo build --release --target $wasm -Zbuild-std=std,panic_abort
else
  echo "this Rust makes no WebAssembly. One of these helps:" >&2
  echo "  rustup target add $wasm" >&2
  echo "  sudo apt-get install rustc-web cargo-web rust-web-src    (Debian)" >&2
  exit 1
fi
# Whoever watches the folder must never see half a file.
cp "${CARGO_TARGET_DIR:-target}/$wasm/release/plugin.wasm" %name%.wasm.new
mv %name%.wasm.new %name%.wasm
echo "%name%.wasm: $(wc -c <%name%.wasm) bytes"

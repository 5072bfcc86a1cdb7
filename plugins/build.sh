#!/usr/bin/env bash
# Builds the plugins into $CARGO_TARGET_DIR/plugins (or target/plugins), one .wasm per folder.
#
#   plugins/build.sh            everything
#   plugins/build.sh rust       the Rust plugins only
#   plugins/build.sh python     check-python only
#   plugins/build.sh examples   plugins/examples, into the subfolder examples, which no host serves by itself
#
# What has not changed is not built again. Safe to run twice at once: the second waits.
#
#   AIAGENT_WASM_TOOLCHAIN=auto|rustup|debian   which Rust makes wasm (default: auto, see wasm_toolchain)
#
# Exit codes: 0 built or up to date, 1 a build failed, 2 a tool is missing (the text says which and how to get it).
set -euo pipefail

COMPONENTIZE_PY=0.25.1
COMPONENTIZE_JS=0.23.0
WASM=wasm32-unknown-unknown
# rustup waits long for a server that does not answer.
RUSTUP_SECONDS=90

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/plugins"
target=$(cd "$target" && pwd)
out=$target/plugins
state=$target/plugins-build
mkdir -p "$state"

say() { printf 'plugins: %s\n' "$*" >&2; }
missing() {
  say "$1"
  shift
  printf '  %s\n' "$@" >&2
  exit 2
}

# One build at a time. A folder is the lock where there is no flock (macOS).
lock() {
  if command -v flock >/dev/null; then
    exec 9>"$state/lock"
    if ! flock -n 9; then
      say "another build is running; waiting for it"
      flock 9
    fi
  else
    local owner
    until mkdir "$state/lock.d" 2>/dev/null; do
      owner=$(cat "$state/lock.d/pid" 2>/dev/null || true)
      if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
        rm -rf "$state/lock.d"
      else
        sleep 1
      fi
    done
    echo $$ >"$state/lock.d/pid"
    trap 'rm -rf "$state/lock.d"' EXIT
  fi
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# The hash of the named files, or of all files below the named folders, with their paths.
content() {
  find "$@" -type f ! -name '*.pyc' ! -path '*/tests/*' -print0 | LC_ALL=C sort -z |
    while IFS= read -r -d '' file; do
      printf '%s\0' "$file"
      cat "$file"
    done | sha256
}

fresh() { # STAMP HASH FILE…: whether the stamp holds this hash and the files are there
  local stamp=$state/$1.stamp hash=$2 file
  shift 2
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$hash" ] || return 1
  for file in "$@"; do [ -s "$file" ] || return 1; done
}

has_target() { # whether this rustc can really make wasm: its libraries are there
  local folder
  folder=$("$1" --print target-libdir --target "$WASM" 2>/dev/null) && compgen -G "$folder/libcore-*.rlib" >/dev/null
}

# Sets `toolchain` to rustup or debian: the user's own Rust where it has, or can get, the wasm target;
# else Debian's, which brings the sources of std to build it from.
wasm_toolchain() {
  local wish=${AIAGENT_WASM_TOOLCHAIN:-auto}
  case $wish in auto | rustup | debian) ;; *) missing "AIAGENT_WASM_TOOLCHAIN=$wish: allowed are auto, rustup, debian" ;; esac
  command -v cargo >/dev/null || missing "no cargo; get Rust first:" "https://rustup.rs"
  if [ "$wish" != debian ]; then
    toolchain=rustup
    has_target rustc && return
    if command -v rustup >/dev/null; then
      say "adding the target $WASM (rustup, at most $RUSTUP_SECONDS s)"
      if timeout "$RUSTUP_SECONDS" rustup target add "$WASM" >&2 && has_target rustc; then return; fi
    fi
    [ "$wish" = auto ] || missing "this Rust has no target $WASM:" "rustup target add $WASM"
    say "rustup can't add $WASM here; using Debian's Rust"
  fi
  toolchain=debian
  debian_ready && return
  local install="apt-get install -y rustc-web cargo-web rust-web-src"
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "$install"
    DEBIAN_FRONTEND=noninteractive $install >&2 && debian_ready && return
  fi
  missing "no Rust for $WASM; one of these gets it:" "rustup target add $WASM" "sudo $install    (Debian)"
}

debian_ready() {
  [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] &&
    [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ] && [ -n "$(rust_lld)" ]
}

# Any rust-lld links wasm: Debian's own or the one of rustup's toolchain.
rust_lld() {
  local sysroot lld
  for sysroot in "$(/usr/bin/rustc --print sysroot)" "$(rustc --print sysroot)"; do
    lld=$(find "$sysroot/lib/rustlib" -name rust-lld -type f 2>/dev/null | head -n 1)
    if [ -n "$lld" ]; then
      printf '%s' "$lld"
      return
    fi
  done
}

# `cargo build` for wasm with the chosen toolchain; prints the folder of the results.
wasm_cargo() {
  # Small, so that all of them fit into a ConfigMap: no debug info, no names, no checks of overflow (the
  # sandbox checks every access; a wrong number is a wrong answer, as in any release build).
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_STRIP=true CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=false
  export CARGO_PROFILE_RELEASE_LTO=true CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
  export CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO=off CARGO_PROFILE_RELEASE_INCREMENTAL=false
  export CARGO_PROFILE_RELEASE_PANIC=abort
  # A panic names its file, but not where that lay on the machine that built it.
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/crates
  # A folder of its own: neither the profile above nor another rustc may disturb the host's build.
  local folder=$target/wasm-$toolchain
  if [ "$toolchain" = rustup ]; then
    CARGO_TARGET_DIR=$folder cargo build --locked --release --target "$WASM" --lib "$@" >&2 || return 1
  else
    CARGO_TARGET_DIR=$folder RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc \
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(rust_lld) \
      /usr/bin/cargo build --locked --release --target "$WASM" -Zbuild-std=std,panic_abort --lib "$@" >&2 || return 1
  fi
  printf '%s' "$folder/$WASM/release"
}

manifest_name() { # SECTION MANIFEST: the key `name` of that section
  awk -v section="[$1]" '$0 == section { on = 1; next } /^\[/ { on = 0 } on && $1 == "name" { gsub(/"/, "", $3); print $3; exit }' "$2"
}

build_rust() {
  local manifest sources=() folders=() packages=() files=() folder library hash built
  for manifest in plugins/*/Cargo.toml; do
    # The plugins share libraries that are no plugins themselves.
    sources+=("$(dirname "$manifest")")
    grep -qs '"cdylib"' "$manifest" || continue
    folder=$(basename "$(dirname "$manifest")")
    folders+=("$folder")
    packages+=(-p "$(manifest_name package "$manifest")")
    files+=("$out/$folder.wasm")
  done
  if [ ${#folders[@]} = 0 ]; then
    say "no Rust plugins here"
    return
  fi
  wasm_toolchain
  hash=$toolchain-$(content Cargo.toml Cargo.lock wit plugins/build.sh "${sources[@]}")
  if fresh rust "$hash" "${files[@]}"; then
    say "up to date: ${folders[*]}"
    return
  fi
  say "building ${folders[*]} ($toolchain)"
  built=$(wasm_cargo "${packages[@]}") || exit 1
  for folder in "${folders[@]}"; do
    manifest=plugins/$folder/Cargo.toml
    library=$(manifest_name lib "$manifest")
    library=${library:-$(manifest_name package "$manifest")}
    # Whoever watches the folder must never see half a file.
    cp "$built/${library//-/_}.wasm" "$out/.$folder.new"
    chmod 644 "$out/.$folder.new"
    mv "$out/.$folder.new" "$out/$folder.wasm"
    say "$folder.wasm, $(wc -c <"$out/$folder.wasm") bytes"
  done
  printf '%s' "$hash" >"$state/rust.stamp"
}

python_environment() {
  local venv=$state/venv
  if [ "$(cat "$venv/ready" 2>/dev/null)" = "$COMPONENTIZE_PY" ]; then return; fi
  command -v python3 >/dev/null || missing "no python3 (3.10 or later, with venv):" "sudo apt-get install python3 python3-venv    (Debian)"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    missing "$(python3 --version) is too old: 3.10 or later is needed"
  python3 -c 'import ensurepip, venv' 2>/dev/null ||
    missing "python3 has no venv:" "sudo apt-get install python3-venv    (Debian)"
  say "installing componentize-py $COMPONENTIZE_PY from PyPI"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "componentize-py==$COMPONENTIZE_PY" >&2
  printf '%s' "$COMPONENTIZE_PY" >"$venv/ready"
}

build_python() {
  local source=plugins/check-python hash stage
  hash=$COMPONENTIZE_PY-$(content wit plugins/build.sh "$source")
  if fresh check-python "$hash" "$out/check-python.wasm"; then
    say "up to date: check-python"
    return
  fi
  python_environment
  say "building check-python (componentize-py $COMPONENTIZE_PY)"
  # Only what belongs into the component: whatever lies on its path is packed.
  stage=$state/check-python
  rm -rf "$stage"
  mkdir -p "$stage"
  cp -R "$source"/*.py "$source/pycheck" "$stage/"
  rm -rf "$stage/pycheck/__pycache__"
  "$state/venv/bin/componentize-py" --quiet -d wit -d "$source/wit" -w aiagent:check-python/check-python \
    componentize -p "$stage" component -o "$out/.check-python.new" >&2
  python3 "$source/image/patch.py" "$out/.check-python.new" >&2
  mv "$out/.check-python.new" "$out/check-python.wasm"
  printf '%s' "$hash" >"$state/check-python.stamp"
  say "check-python.wasm, $(wc -c <"$out/check-python.wasm") bytes"
}

node_environment() {
  local folder=$state/node
  if [ "$(cat "$folder/ready" 2>/dev/null)" = "$COMPONENTIZE_JS" ]; then return; fi
  command -v npm >/dev/null || missing "no npm; get Node 20 or later:" "https://nodejs.org"
  node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || missing "$(node --version) is too old: Node 20 or later is needed"
  say "installing componentize-js $COMPONENTIZE_JS from npm"
  rm -rf "$folder"
  mkdir -p "$folder"
  echo '{"private":true}' >"$folder/package.json"
  (cd "$folder" && npm install --silent --no-fund --no-audit "@bytecodealliance/componentize-js@$COMPONENTIZE_JS" >&2)
  printf '%s' "$COMPONENTIZE_JS" >"$folder/ready"
}

# Each by its own build.sh, which finds the tools in place and installs nothing.
build_examples() {
  local name source hash
  python_environment
  node_environment
  mkdir -p "$out/examples"
  for name in python-builder javascript-fixer; do
    source=plugins/examples/$name
    hash=$COMPONENTIZE_PY-$COMPONENTIZE_JS-$(content wit "$source/src" "$source/wit/world.wit" "$source"/build.*)
    if fresh "$name" "$hash" "$out/examples/$name.wasm"; then
      say "up to date: examples/$name"
      continue
    fi
    say "building examples/$name"
    case $name in
    python-*) [ -e "$source/.venv" ] || ln -sfn "$state/venv" "$source/.venv" ;;
    javascript-*) [ -e "$source/node_modules" ] || ln -sfn "$state/node/node_modules" "$source/node_modules" ;;
    esac
    "$source/build.sh" >&2
    mv "$source/$name.wasm" "$out/examples/$name.wasm"
    printf '%s' "$hash" >"$state/$name.stamp"
  done
}

case ${1:-all} in
all) want="rust python" ;;
rust | python | examples) want=$1 ;;
-h | --help)
  sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
  exit 0
  ;;
*) missing "unknown argument $1: rust, python, examples or nothing" ;;
esac
lock
for part in $want; do "build_$part"; done

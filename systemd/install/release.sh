# shellcheck shell=bash disable=SC2034,SC2154
# Where the installer takes a build from, and whether it is whole.

# Unpacks the archive beside everything else, and installs from there.
unpack() {
  local again="get it again with its .sha256, and run this again"
  [ -f "$archive" ] || die "there is no $archive" "name the aiagent-host-….tar.gz that \`make dist\` left or a release has"
  if [ -f "$archive.sha256" ]; then
    (cd "$(dirname "$archive")" && sha256sum --status --check "$archive.sha256") 2>/dev/null ||
      die "$archive is not what $archive.sha256 says: damaged, or another's" "$again"
  fi
  mkdir "$work/release"
  tar --extract --gzip --no-same-owner --strip-components=1 --file="$archive" --directory="$work/release" 2>>"${log:-/dev/null}" ||
    die "$archive can't be unpacked: damaged, or no release archive" "$again"
  source=$work/release here=$source/systemd from=$source/target
  [ -f "$source/SHA256SUMS" ] || die "$archive holds no SHA256SUMS: it is no release archive" "$again"
}

# Of a release each file is what its SHA256SUMS says, and there are no others that would be installed.
verify() {
  local wrong
  if [ ! -f "$source/SHA256SUMS" ] || [ "$from" != "$source/target" ]; then return 0; fi
  wrong=$(cd "$source" && LC_ALL=C sha256sum --quiet --check SHA256SUMS 2>&1 | head -3) || true
  if [ -z "$wrong" ]; then
    wrong=$(cd "$source" && comm -13 <(sed 's/^[0-9a-f]*  //' SHA256SUMS | sort) \
      <({ find ./chart ./docs ./host ./systemd ./target ./wit -type f; find . -maxdepth 1 -name '*.sh'; } | sort) | sed 's/$/: not in SHA256SUMS/' | head -3)
  fi
  [ -z "$wrong" ] || die "the release is damaged: $wrong" "get the archive again, and run this again"
  say "checksums of the release: right"
}

check_source() {
  case "$root$from$source" in
    *[[:space:]]*) die "a path with blanks can't be installed from or to" "use a folder whose path has none" ;;
  esac
  if [ ! -x "$from/release/aiagent-host" ] || ! compgen -G "$from/plugins/*.wasm" >/dev/null; then
    die "$from holds no build" "run \`make build\` in $source as yourself, or name a build with --from DIR"
  fi
  "$from/release/aiagent-host" --version >/dev/null 2>&1 ||
    die "$from/release/aiagent-host does not run on this machine" "run \`make build\` in $source on this machine"
}

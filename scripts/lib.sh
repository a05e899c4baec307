# shellcheck shell=bash
# Shared by the scripts of this folder, which source it. Bash; expects `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Checkouts in different places share the compiler's cache.
export CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}

# What a build needs, as Debian 12 names it. The wraps in subprojects/ stand in for the libraries where there is no such
# package and the network may be used.
packages=(
  meson ninja-build pkg-config g++ protobuf-compiler python3 ccache
  libabsl-dev libprotobuf-dev liblz4-dev libhwy-dev libxxhash-dev libsimdjson-dev
  libcli11-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev libbenchmark-dev libhnswlib-dev
)
# The same, as a machine that does not have these packages can be asked for them.
programs=(meson ninja pkg-config c++ protoc python3)
modules=(absl_status absl_flat_hash_map protobuf liblz4 libhwy libxxhash simdjson CLI11 nlohmann_json gmock)

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Prints those of the packages that are not installed. Requires dpkg.
missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed$' || printf '%s ' "$package"
  done
}

# Prints those programs and pkg-config modules that cannot be found.
missing_tools() {
  local name
  for name in "${programs[@]}"; do
    command -v "$name" >/dev/null || printf '%s ' "$name"
  done
  for name in "${modules[@]}"; do
    pkg-config --exists "$name" 2>/dev/null || printf '%s.pc ' "$name"
  done
}

# Installs what is missing on Debian, as root. Elsewhere it says what is needed, and goes on if it is all there.
install_dependencies() {
  local missing
  if command -v dpkg >/dev/null && command -v apt-get >/dev/null; then
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
      say "Installing: $missing"
      apt-get update -qq </dev/null
      # Word splitting is wanted: one argument per package.
      # shellcheck disable=SC2086
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null
      return 0
    fi
    say "Missing packages: $missing"
    say "Install them as root: apt-get install $missing"
  fi
  missing=$(missing_tools)
  [ -z "$missing" ] || die "cannot build without: $missing(Debian's packages: ${packages[*]})"
}

# configure BUILD_DIRECTORY [OPTION...]: sets up a build directory of the repository unless that has been done.
configure() {
  local build=$1
  shift
  [ -f "$build/build.ninja" ] || meson setup "$build" "$root" "$@"
}

# SPDX-License-Identifier: Apache-2.0
# Sourced by toolchain/run, toolchain/test and toolchain/dev/*: which Debian packages each needs,
# how what is missing is installed, and how a preset is built. Debian 12; works as root or with
# sudo.
# shellcheck shell=bash disable=SC2034
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
jobs=${BERM_JOBS:-$(nproc)}

build_packages=(cmake ninja-build g++ pkg-config python3 libmosquitto-dev libcurl4-openssl-dev
  libsqlite3-dev libcjson-dev libexpat1-dev libzstd-dev libssl-dev zlib1g-dev libgps-dev
  libedit-dev)
run_packages=(mosquitto mosquitto-clients procps ffmpeg)
ingest_packages=(openjdk-17-jre-headless maven ca-certificates curl kcat)
test_packages=(libgtest-dev libgmock-dev strace openssl jq sqlite3 tmux util-linux iproute2
  gpsd gpsd-clients patch)
cross_packages=(g++-aarch64-linux-gnu qemu-user-static) # toolchain/cross arm64
style_packages=(clang-format-19 clang-tidy-19 git)

say() { echo "berm: $*"; }
fail() {
  echo "berm: $*" >&2
  exit 1
}

# missing PACKAGE…: those of them that are not installed.
missing() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done
}

# install PACKAGE…: installs what is missing, and only that; asks the network nothing where
# nothing is.
install() {
  local wanted as_root=()
  mapfile -t wanted < <(missing "$@")
  [ "${#wanted[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "this machine has no apt; needed are: ${wanted[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo; as root: apt-get install ${wanted[*]}"
    as_root=(sudo)
    say "sudo may ask for your password now"
  fi
  say "installing with apt: ${wanted[*]}"
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
  mkdir -p "$root/build"
  {
    "${as_root[@]}" update && "${as_root[@]}" install --no-install-recommends "${wanted[@]}"
  } >"$root/build/apt.log" 2>&1 </dev/null || {
    tail -n 20 "$root/build/apt.log" >&2
    fail "apt could not install them, see build/apt.log"
  }
}

# progress: ninja's lines on standard input; prints each tenth step of them, and all that is no
# step.
progress() {
  local line tenth last=-1
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      tenth=$((10 * BASH_REMATCH[1] / BASH_REMATCH[2]))
      [ $tenth -eq $last ] || echo "[${BASH_REMATCH[1]}/${BASH_REMATCH[2]}]"
      last=$tenth
    else
      printf '%s\n' "$line"
    fi
  done
}

# build PRESET OPTIONS TARGET…: configures where needed and builds. OPTIONS: one word for cmake,
# or "".
build() {
  local preset=$1 option=$2 target=() log="$root/build/$1-configure.log"
  shift 2
  [ $# -eq 0 ] || target=(--target "$@")
  mkdir -p "$root/build"
  cd "$root" || exit 1
  say "building $preset ($jobs at a time)"
  cmake --preset "$preset" ${option:+"$option"} >"$log" 2>&1 || {
    cat "$log" >&2
    fail "cmake could not configure $preset"
  }
  if [ -t 1 ]; then
    cmake --build --preset "$preset" --parallel "$jobs" "${target[@]}"
  else
    (set -o pipefail; cmake --build --preset "$preset" --parallel "$jobs" "${target[@]}" | progress)
  fi || fail "the build of $preset failed"
}

# free_port: a TCP port that is free on 127.0.0.1 now.
free_port() {
  python3 -c '
import socket
taken = socket.socket()
taken.bind(("127.0.0.1", 0))
print(taken.getsockname()[1])'
}

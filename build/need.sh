#!/usr/bin/env bash
# need.sh PROGRAM... makes sure that the programs are there, and with "webview"
# what the window is compiled with. Where it may (root
# on a system with apt-get) it installs what is missing; otherwise it says in
# one sentence what to install, and fails.
set -euo pipefail

# go.mod names the Go it wants; any Go from 1.21 on fetches that one by itself.
readonly oldest_go=1.21

# What the tools of the pages want.
readonly oldest_node=20.19

# packages_of PROGRAM prints the Debian packages that hold it.
packages_of() {
  case $1 in
    go) echo golang-go ;;
    gcc) echo gcc libc6-dev ;;
    node) echo nodejs ;;
    mkfs.xfs) echo xfsprogs ;;
    mkfs.ext4) echo e2fsprogs ;;
    ip) echo iproute2 ;;
    nft) echo nftables ;;
    zbarimg) echo zbar-tools ;;
    sysctl) echo procps ;;
    avahi-browse | avahi-publish) echo avahi-utils ;;
    dbus-daemon) echo dbus ;;
    webview) echo pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev ;;
    Xvfb) echo xvfb ;;
    dbus-run-session) echo dbus-daemon ;;
    makensis) echo nsis ;;
    *) echo "$1" ;;
  esac
}

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]; }

usable() {
  if [ "$1" = webview ]; then # no program: what the window is compiled with
    pkg-config --exists gtk+-3.0 webkit2gtk-4.1 2>/dev/null
    return
  fi
  command -v "$1" >/dev/null || return 1
  case $1 in
    go) at_least "$oldest_go" "$(go env GOVERSION | sed 's/^go//')" ;;
    node) at_least "$oldest_node" "$(node --version | sed 's/^v//')" ;;
  esac
}

say_and_fail() {
  echo "$1" >&2
  exit 1
}

missing=()
for program in "$@"; do
  usable "$program" || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || exit 0

packages=()
for program in "${missing[@]}"; do
  read -ra names <<<"$(packages_of "$program")"
  packages+=("${names[@]}")
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  say_and_fail "Please install ${missing[*]} first (Debian and Ubuntu: sudo apt install ${packages[*]}; Go 1.26: https://go.dev/dl; Node 20.19 or newer: https://nodejs.org)."
fi
echo "Installing ${packages[*]} …"
# What comes with them is not to run as a service: tests start it themselves.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
for program in "${missing[@]}"; do
  usable "$program" || say_and_fail "This system's packages hold no $program that is new enough; please install it (Go 1.26: https://go.dev/dl; Node 20.19 or newer: https://nodejs.org) and try again."
done

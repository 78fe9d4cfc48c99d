#!/usr/bin/env bash
# need.sh PROGRAM... makes sure that the programs are there. Where it may
# (root on a system with apt-get) it installs what is missing; otherwise it
# says in one sentence what to install.
set -euo pipefail

# The Go of the distribution may be older than go.mod asks for; it then fetches
# the right toolchain by itself.
declare -A packages=([go]=golang-go [syncthing]=syncthing [rsync]=rsync [python3]=python3 [gcc]=gcc)

# Where Go's own installer puts it, and shells often do not look.
export PATH="$PATH:/usr/local/go/bin"

missing=()
for program in "$@"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || exit 0

wanted=()
for program in "${missing[@]}"; do
  wanted+=("${packages[$program]:-$program}")
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing ${wanted[*]} …"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
else
  echo "Please install ${missing[*]} first (on Debian or Ubuntu: sudo apt install ${wanted[*]})." >&2
  exit 1
fi

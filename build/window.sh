#!/usr/bin/env bash
# window.sh builds the window and tests it on a display of its own, in a network
# and with processes of its own, so that nothing stays behind. It takes root.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$PWD/build/cache/window
mkdir -p "$dir"
rm -rf "$dir/shots"

CGO_ENABLED=0 go build -trimpath -tags tray -o "$dir/lanyard" ./cmd/lanyard
go build -trimpath -tags desktop,production,webkit2_41,probe -o "$dir/lanyard-desktop" .
gcc -o "$dir/drag" build/window/testdata/drag.c $(pkg-config --cflags --libs gtk+-3.0)
go test -c -o "$dir/window.test" ./build/window

# A device's own network tells its address; loopback is left out of invitations.
LANYARD_WINDOW=$dir exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc sh -ec '
  ip link set lo up
  ip link add lan0 type veth peer name lan1
  ip addr add 10.77.0.1/24 dev lan0
  ip link set lan0 up
  ip link set lan1 up
  exec dbus-run-session -- "$LANYARD_WINDOW/window.test" -test.v -test.timeout 10m "$@"' window "$@"

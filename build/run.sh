#!/usr/bin/env bash
# run.sh BIN builds the program into the directory BIN and opens its window.
# Where there is no display, or nothing that the window could be built with, it
# starts the engine in the foreground and prints the address at which a browser
# shows it; Ctrl-C ends that engine. Where one runs already, it prints that one's.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$1

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname)" = Darwin ]; then
  if [ "$(uname)" = Darwin ] || build/need.sh webview; then
    make --no-print-directory desktop
    exec "$bin/lanyard-desktop"
  fi
  echo "Without that there is no window: a browser shows the same." >&2
fi
make --no-print-directory web build
lanyard=$bin/lanyard

address=$("$lanyard" web 2>/dev/null) && { echo "Lanyard runs already. Open $address"; exit 0; }

"$lanyard" serve --web 127.0.0.1:0 &
engine=$!
trap 'kill "$engine" 2>/dev/null || true' EXIT
until address=$("$lanyard" web 2>/dev/null); do
  kill -0 "$engine" 2>/dev/null || { wait "$engine"; exit; }
  sleep 0.2
done
printf '\nOpen %s\nThe address holds once, for five minutes; "%s web" prints another.\n\n' "$address" "$lanyard"
wait "$engine"

#!/usr/bin/env bash
# run.sh PROGRAM starts the engine in the foreground and prints the address at
# which a browser shows it. Ctrl-C ends it. Where an engine runs already, it
# prints that one's.
set -euo pipefail
lanyard=$1

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

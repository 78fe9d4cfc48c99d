#!/usr/bin/env bash
# test.sh [BLOCK]... runs the checks of this repository, all blocks unless some
# are named, and ends with the time that each took. A failing block does not
# keep the next from running; the exit code is 0 only if every one passed.
#
# LANYARD_LONG=1 asks for the long tier: long tests look at it themselves, and
# fuzzing shares 30 minutes instead of 80 seconds.
set -uo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

tool() { go tool -modfile=build/tools.mod "$@"; }

block_format() {
  local bad
  bad=$(git ls-files -co --exclude-standard '*.go' | xargs -r -n 200 go tool -modfile=build/tools.mod gofumpt -l) || return 1
  [ -z "$bad" ] || { printf 'not formatted, run gofumpt -w on:\n%s\n' "$bad"; return 1; }
}

block_vet() { go vet ./...; }

block_staticcheck() { tool staticcheck ./...; }

# Unit, property and script tests, for data races as well.
block_unit() {
  local packages
  build/need.sh ip nft || [ -z "${CI:-}" ] || return 1
  packages=$(go list ./... | grep -v '^lanyard/sync/sim$') || return 1
  xargs go test -race -count=1 -timeout "$([ -n "${LANYARD_LONG:-}" ] && echo 10h || echo 15m)" <<<"$packages"
}

# Whole devices in simulated time, which one goroutine drives: a race detector
# would find nothing there. The run with goroutines has one.
block_sim() {
  local seeds=300 ops=2
  [ -z "${LANYARD_LONG:-}" ] || seeds=10000 ops=3
  go test -count=1 -timeout 10h ./sync/sim -seeds "$seeds" -twice 1 -ops "$ops" || return 1
  go test -race -count=1 -timeout 15m ./sync/sim -run Concurrent
}

# One fuzz target. The end of its time now and then counts as a failure of the
# target (golang.org/issue/75804); a real one names the input it wrote down.
fuzz_target() {
  local said status=0
  said=$(go test -run '^$' -fuzz "^$2\$" -fuzztime "$3" "$1" </dev/null | grep -v '^fuzz: elapsed') || status=1
  echo "$said"
  if [ $status = 1 ] && grep -q '^    context deadline exceeded$' <<<"$said" && ! grep -q 'Failing input written' <<<"$said"; then
    echo "its time was over, and no input failed"
    status=0
  fi
  return "$status"
}

# Each fuzz target in turn; together they take the seconds of the budget.
block_fuzz() {
  local budget=80 targets count share status=0
  [ -z "${LANYARD_LONG:-}" ] || budget=1800
  targets=$(grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's/^(.*)\/[^/]+:[0-9]+:func (.*)$/\1 \2/' | sort -u)
  [ -n "$targets" ] || { echo "there is no fuzz target"; return 0; }
  count=$(wc -l <<<"$targets")
  share=$((budget / count > 0 ? budget / count : 1))
  echo "$count targets, ${share}s each"
  while read -r dir name; do
    echo "$dir $name"
    fuzz_target "$dir" "$name" "${share}s" || status=1
  done <<<"$targets"
  return "$status"
}

# Real processes on real files, with a real Syncthing beside them.
block_real() {
  build/need.sh syncthing rsync mkfs.ext4 mkfs.xfs ip nft sysctl zbarimg avahi-daemon avahi-browse avahi-publish dbus-daemon || [ -z "${CI:-}" ] || return 1
  CGO_ENABLED=0 go build -trimpath -o build/bin/ ./cmd/lanyard || return 1
  # Most of them wait most of the time, for a Syncthing as a rule.
  LANYARD_E2E=1 LANYARD_BIN="$PWD/build/bin/lanyard" go test -count=1 -v -parallel 8 \
    -timeout "$([ -n "${LANYARD_LONG:-}" ] && echo 10h || echo 20m)" ./build/e2e
}

# The pages: types, rules, unit tests, size, and a real browser over real
# engines.
block_web() {
  build/need.sh node npm chromium ip nft unshare syncthing zbarimg || { echo "not run: needs Node, npm, Chromium and a Syncthing"; [ -z "${CI:-}" ]; return; }
  (
    cd frontend || exit 1
    npm ci --no-audit --no-fund --loglevel=error && npm run --silent check && npm run --silent lint &&
      npm run --silent test && npm run --silent build && node test/size.mjs
  ) || return 1
  mkdir -p build/cache
  CGO_ENABLED=0 go build -trimpath -o build/cache/lanyard-pages ./cmd/lanyard || return 1
  (cd frontend && LANYARD_BIN="$PWD/../build/cache/lanyard-pages" npm run --silent pages) || return 1
  go test -c -o build/cache/web.test ./app/web || return 1
  (cd frontend && LANYARD_BIN="$PWD/../build/cache/lanyard-pages" LANYARD_CHANGES_TEST="$PWD/../build/cache/web.test" npm run --silent changes) || return 1
  # Making a hundred thousand files takes longer than looking at them.
  [ -z "${LANYARD_LONG:-}" ] || (cd frontend && LANYARD_BIN="$PWD/../build/cache/lanyard-pages" npm run --silent rows)
}

# The real window, on a display of its own, over real engines. The pages are those
# that the block web built.
block_window() {
  build/need.sh webview Xvfb openbox xdotool dbus-run-session unshare ip || { echo "not run: needs the web view and a display"; [ -z "${CI:-}" ]; return; }
  [ "$(id -u)" = 0 ] || { echo "not run: a network of its own needs root"; [ -z "${CI:-}" ]; return; }
  [ -f frontend/dist/index.html ] || make web || return 1
  go vet -tags desktop,production,webkit2_41,probe . ./app/desktop && go vet -tags tray ./app/... || return 1
  build/window.sh
}

# The packages: each for Debian and each with RPM is installed, started, upgraded
# and removed; the installer for Windows is built, and what its programs hold is
# looked at.
block_package() {
  build/need.sh webview makensis rpm Xvfb xdotool unshare ip || { echo "not run: needs the web view and NSIS"; [ -z "${CI:-}" ]; return; }
  [ "$(id -u)" = 0 ] || { echo "not run: a system under a layer needs root"; [ -z "${CI:-}" ]; return; }
  [ -f frontend/dist/index.html ] || make web || return 1
  local out=build/cache/packages
  rm -rf "$out"
  build/package.sh 0.0.9 "$out/old" deb rpm && build/package.sh 0.1.0 "$out" && build/package/test.sh "$out/old" "$out" &&
    LANYARD_PACKAGES="$PWD/$out" go test -count=1 ./build/package
}

# Memory and processor time of a device that has much to look after: in the long
# tier only.
block_rest() {
  [ -n "${LANYARD_LONG:-}" ] || { echo "only in the long tier"; return 0; }
  build/need.sh syncthing python3 || return 1
  CGO_ENABLED=0 go build -trimpath -o build/bin/ ./cmd/lanyard || return 1
  python3 build/bench/at_rest.py --lanyard build/bin/lanyard --syncthing syncthing
}

# The systems that this machine is not.
block_cross() {
  local os status=0
  for os in windows darwin; do
    GOOS=$os CGO_ENABLED=0 go build ./... || status=1
    GOOS=$os CGO_ENABLED=0 go vet ./... || status=1
  done
  # The window and the tray of Windows need no cgo.
  GOOS=windows CGO_ENABLED=0 go build -tags desktop,production -o build/cache/ . || status=1
  GOOS=windows CGO_ENABLED=0 go vet -tags tray ./app/... || status=1
  GOOS=windows CGO_ENABLED=0 go build -tags tray -o build/cache/ ./cmd/lanyard || status=1
  return "$status"
}

build/need.sh go gcc || exit 1
blocks=("$@")
[ ${#blocks[@]} -gt 0 ] || blocks=(format vet staticcheck unit web window package sim fuzz real rest cross)
for block in "${blocks[@]}"; do
  declare -F "block_$block" >/dev/null || { echo "there is no block $block" >&2; exit 2; }
done

summary="" failed=0 began=$SECONDS
for block in "${blocks[@]}"; do
  printf '\n== %s\n' "$block"
  start=$SECONDS word=ok
  "block_$block" || { word=FAILED; failed=1; }
  summary+=$(printf '%-12s %-7s %4d s' "$block" "$word" $((SECONDS - start)))$'\n'
done
printf '\n== time per block\n%s%-12s %-7s %4d s\n' "$summary" all "" $((SECONDS - began))
exit "$failed"

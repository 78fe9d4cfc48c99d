#!/usr/bin/env bash
# package.sh VERSION OUT [PART]... builds the packages into the directory OUT: for
# Debian (deb) and for systems with RPM (rpm) the engine alone and the desktop, and
# the installer for Windows (windows); all three parts unless some are named.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1#v}
out=$2
shift 2
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(deb rpm windows)

# Packages want a version that begins with a number.
[[ $version =~ ^[0-9] ]] || version=0.0.0~$version
export VERSION=$version ARCH MAINTAINER STAGE
ARCH=$(go env GOARCH)
MAINTAINER=${MAINTAINER:-Lanyard <lanyard@localhost>}
mkdir -p "$out"
STAGE=$(mktemp -d)
trap forget EXIT

# resources NUMBER gives programs for Windows their icon, manifest and version: Go
# links what lies in the directory of main under such a name. They are taken away
# again, so that nothing else is built with this version.
resources() {
  local dir
  for dir in . cmd/lanyard; do
    go tool -modfile=build/tools.mod go-winres make --in build/package/windows/resources.json --out "$dir/rsrc" \
      --arch "$ARCH" --product-version "$1" --file-version "$1"
  done
}
forget() { rm -rf "$STAGE" rsrc_windows_*.syso cmd/lanyard/rsrc_windows_*.syso; }

# build FILE TAGS PACKAGE [LINK FLAG] builds one program.
build() { go build -trimpath -tags "$2" -ldflags "-s -w -X main.version=$version ${4:-}" -o "$1" "$3"; }

# terms writes our licence, and those of all that is compiled in.
terms() {
  { cat LICENSE; printf '\nLanyard holds work of others, under these terms:\n\n'; cat app/service/licences.txt; echo; cat frontend/dist/licences.txt; } >"$STAGE/copyright"
}

# programs builds what the packages for Linux hold, once.
programs() {
  [ ! -e "$STAGE/engine" ] || return 0
  CGO_ENABLED=0 build "$STAGE/engine/lanyard" "" ./cmd/lanyard
  # Only computers with a screen have a tray.
  CGO_ENABLED=0 build "$STAGE/desktop/lanyard" tray ./cmd/lanyard
  CGO_ENABLED=1 build "$STAGE/desktop/lanyard-desktop" desktop,production,webkit2_41 .
}

packed() {
  local what
  programs
  for what in engine desktop; do
    go tool -modfile=build/tools.mod nfpm package --config "build/package/$what.yaml" --packager "$1" --target "$out/"
  done
}

deb() { packed deb; }
rpm() { packed rpm; }

windows() {
  local number
  number=$(sed -E 's/^([0-9]+)\.([0-9]+)\.([0-9]+).*/\1.\2.\3.0/' <<<"$version")
  [[ $number =~ ^[0-9]+(\.[0-9]+){3}$ ]] || number=0.0.0.0
  resources "$number"
  export GOOS=windows CGO_ENABLED=0
  build "$STAGE/windows/lanyard.exe" tray ./cmd/lanyard
  # It offers to install the web view where Windows has none.
  build "$STAGE/windows/lanyard-desktop.exe" desktop,production,wv2runtime.embed . "-H windowsgui"
  unset GOOS CGO_ENABLED
  cp "$STAGE/copyright" "$STAGE/windows/LICENSES.txt"
  mkdir -p "$out/windows"
  cp "$STAGE/windows"/*.exe "$out/windows/"
  makensis -V2 -NOCD -DVERSION="$version" -DNUMBER="$number" -DSTAGE="$STAGE/windows" -DICON="$PWD/build/icons/lanyard.ico" \
    -DLICENSE="$PWD/LICENSE" -DOUT="$(realpath "$out")/lanyard-$version-setup.exe" build/package/windows.nsi
}

terms
for part in "${parts[@]}"; do "$part"; done
ls -l "$out"

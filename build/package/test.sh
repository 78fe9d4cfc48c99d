#!/usr/bin/env bash
# test.sh OLD NEW installs, starts, upgrades and removes the packages in the
# directories OLD and NEW, those for Debian and those with RPM, the desktop with a
# window on a display of its own.
# The system is this one under a layer that is thrown away, so that its libraries
# are there and nothing of it changes; it takes root.
set -euo pipefail
old=$(realpath "$1") new=$(realpath "$2")

if [ -z "${INSIDE:-}" ]; then
  INSIDE=1 exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc "$0" "$@"
fi

work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
root=$work/root
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/packages/old" "$root/packages/new"
cp "$old"/*.deb "$old"/*.rpm "$root/packages/old/"
cp "$new"/*.deb "$new"/*.rpm "$root/packages/new/"
ip link set lo up


inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 ${DISPLAY:+DISPLAY=$DISPLAY} "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# until_ok WHAT COMMAND... tries a command for a while.
until_ok() {
  local what=$1 i
  shift
  for ((i = 0; i < 300; i++)); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  fail "$what"
}
# The packages of this kind, deb or rpm, are meant.
kind=deb
file_of() {
  case $kind in
    deb) (cd "$root" && ls packages/"$1"/"$2"_*.deb) ;;
    rpm) (cd "$root" && ls packages/"$1"/"$2"-[0-9]*.rpm) ;;
  esac
}
# install VERSION PACKAGE installs it, or upgrades to it. RPM knows nothing of the
# libraries that this system's own packages brought.
install() {
  case $kind in
    deb) inside dpkg -i "/$(file_of "$1" "$2")" >/dev/null ;;
    rpm) inside rpm --force-debian --nodeps -U "/$(file_of "$1" "$2")" ;;
  esac
}
remove() {
  case $kind in
    deb) inside dpkg --purge "$1" >/dev/null 2>&1 ;;
    rpm) inside rpm --force-debian -e "$1" ;;
  esac
}
# wants PACKAGE LIBRARY... checks what a package says that it needs.
wants() {
  local file library said
  file=/$(file_of new "$1")
  shift
  case $kind in
    deb) said=$(inside dpkg-deb -f "$file" Depends) ;;
    rpm) said=$(inside rpm -qp --requires "$file" 2>/dev/null) ;;
  esac
  for library in "$@"; do grep -q "$library" <<<"$said" || fail "$file does not say that it needs $library: $said"; done
}
has() { [ "$(inside lanyard version)" = "lanyard $1" ] || fail "the version is $(inside lanyard version), want $1"; }

# legal PACKAGE checks that a package has the terms of what it holds, and that the
# program says them.
legal() {
  local file part
  case $kind in
    deb) file=$root/usr/share/doc/$1/copyright ;;
    rpm) file=$root/usr/share/licenses/$1/LICENSE ;;
  esac
  for part in "Apache License" "== golang.org/x/net v" "== svelte "; do
    grep -q "$part" "$file" || fail "$file lacks $part"
    inside lanyard licences | grep "$part" >/dev/null || fail "lanyard licences lacks $part"
  done
}

# The person's own: a folder with a file, and a home.
begin() {
  rm -rf "$root/root/.local/state/lanyard" "$root/root/Documents"
  mkdir -p "$root/root/Documents"
  echo "mine" >"$root/root/Documents/letter.txt"
}
still_there() {
  [ "$(cat "$root/root/Documents/letter.txt")" = mine ] || fail "the person's file is gone"
  [ -s "$root/root/.local/state/lanyard/key.pem" ] || fail "the person's identity is gone"
  grep -q documents "$root/root/.local/state/lanyard/config.json" || fail "the person's settings are gone"
}
gone() {
  local left
  left=$(ls -d "$root"/usr/bin/lanyard* "$root"/usr/lib/systemd/*/lanyard* "$root"/usr/share/applications/lanyard* "$root"/usr/share/doc/lanyard* "$root"/usr/share/licenses/lanyard* 2>/dev/null || true)
  [ -z "$left" ] || fail "there is left: $left"
}

engine() {
  echo "== the engine alone, $kind"
  begin
  install old lanyard
  has 0.0.9
  inside lanyard folder add /root/Documents --id documents >/dev/null
  inside lanyard serve --no-discovery --listen quic://127.0.0.1:0 2>/dev/null &
  until_ok "the engine answers" inside lanyard status
  for unit in user/lanyard.service system/lanyard@.service; do
    [ -s "$root/usr/lib/systemd/$unit" ] || fail "there is no unit $unit"
  done
  install new lanyard
  has 0.1.0
  legal lanyard
  inside lanyard stop
  wait
  inside lanyard serve --no-discovery --listen quic://127.0.0.1:0 2>/dev/null &
  # The list of folders needs no engine, and would take the home from it.
  until_ok "the upgraded engine answers" inside lanyard status
  inside lanyard folder list | grep -q documents || fail "the upgraded engine lacks the folder"
  inside lanyard stop
  wait
  still_there
  remove lanyard
  gone
  still_there
}

desktop() {
  echo "== the desktop, $kind"
  begin
  Xvfb -screen 0 1024x768x24 -nolisten tcp -displayfd 3 3>"$work/display" 2>/dev/null &
  local display=$!
  until_ok "there is a display" grep -q . "$work/display"
  DISPLAY=:$(cat "$work/display")
  export DISPLAY
  install old lanyard-desktop
  has 0.0.9
  inside lanyard folder add /root/Documents --id documents >/dev/null
  shows_window
  grep -q '^MimeType=x-scheme-handler/lanyard;' "$root/usr/share/applications/lanyard-desktop.desktop" || fail "links are not registered"
  install new lanyard-desktop
  has 0.1.0
  legal lanyard-desktop
  shows_window
  # The two packages hold the same program: one takes the place of the other.
  if install new lanyard >/dev/null 2>&1; then fail "both packages can be installed at once"; fi
  remove lanyard-desktop
  gone
  still_there
  kill "$display"
}

# shows_window opens the window, which starts an engine, closes it, and ends the
# engine, which has to outlive it.
shows_window() {
  inside lanyard-desktop 2>"$work/said" &
  local window=$!
  until_ok "the window paints: $(cat "$work/said")" grep -q "first paint" "$work/said"
  until_ok "there is a window" xdotool search --onlyvisible --name Lanyard
  pkill -TERM -f '^lanyard-desktop$' || fail "the window is not a process of its own"
  wait "$window" || true
  inside lanyard folder list | grep -q documents || fail "the engine lacks the folder"
  inside lanyard stop
  until_ok "the engine ends" bash -c "! chroot '$root' env -i HOME=/root /usr/bin/lanyard status"
}

engine
desktop
wants lanyard-desktop libgtk-3-0 libwebkit2gtk-4.1-0
kind=rpm
engine
desktop
wants lanyard-desktop gtk3 webkit2gtk4.1
echo "all packages were installed, started, upgraded and removed; what is the person's stayed"

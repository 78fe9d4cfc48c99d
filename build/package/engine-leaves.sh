#!/bin/sh
# Before the files go: engines of the system are stopped when the package is
# removed, and left running while it is replaced (dpkg says "upgrade", rpm "1").
set -e
case "$1" in
  upgrade | 1) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
  systemctl disable --now 'lanyard@*.service' || true
fi

#!/bin/sh
# After the files are gone. What people keep, their configurations and folders,
# is theirs and stays, also when the package is purged.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi

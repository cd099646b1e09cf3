#!/bin/sh
# Installs Containarium from the unpacked archive of a release, on Debian 12 or 13 or Ubuntu 24.04. Safe to repeat.
#
#   sudo ./install.sh                             a jump host on this machine's own disk
#   sudo ./install.sh --data-disk /dev/disk/by-id/…   everything that matters on a disk of its own
#   sudo ./install.sh --check                     say what would be done, and change nothing
#   sudo ./install.sh --uninstall                 remove the service, and leave the containers alone
#
# docs/deployment.md has the other options.
set -eu
folder=$(dirname "$(readlink -f "$0")")
node="$folder/node_modules/.bin/node"
# Node.js looks for modules in "node_modules" of every folder above. The person behind sudo acts as root anyway.
above=$folder
while [ "$(id -u)" = 0 ] && [ "$above" != / ]; do
  above=$(dirname "$above")
  owner=$(stat --format %u "$above")
  if [ -n "$(find "$above" -maxdepth 0 -perm -0002)" ] || { [ "$owner" != 0 ] && [ "$owner" != "${SUDO_UID:-0}" ]; }; then
    echo "Error: the release in $folder: others than root can change what is above it, in $above (denied)" >&2
    echo "Next: unpack the archive where only root can write, for example: sudo tar -xzf <archive> -C /opt" >&2
    exit 4
  fi
done
if ! "$node" --version > /dev/null 2>&1; then
  echo "Error: the Node.js of this archive does not run on this machine ($(uname -m)) (program-missing)" >&2
  echo "Next: take the archive for this architecture: x64 for x86_64, arm64 for aarch64" >&2
  exit 1
fi
exec "$node" "$folder/dist/main.js" install "$@"

#!/bin/bash
# Installs Containarium on this machine, once for each boot disk: waits for the data disk, gets the release, and runs its
# installer. On a data disk that already has the pool, the installer brings everything back.
#
# Runs as containarium-boot.service, which repeats it after a failure: each step can be repeated. Its values are
# environment variables (the file "values"); the other files are beside it.
set -euo pipefail
umask 022

folder=${BOOT_FOLDER:-/etc/containarium-boot}
releases=${BOOT_RELEASES:-/opt/containarium-release}
home=${BOOT_HOME:-/var/lib/containarium}

say() { printf 'containarium-boot: %s\n' "$*"; }
fail() {
  printf 'containarium-boot: %s\n' "$*" >&2
  exit 1
}

wait_for_disk() {
  local waited=0
  if [ -x "$folder/attach-disk" ] && [ ! -e "$BOOT_DATA_DISK" ]; then
    say 'attaching the data disk'
    "$folder/attach-disk"
  fi
  until [ -e "$BOOT_DATA_DISK" ]; do
    [ "$waited" -lt "$BOOT_DISK_WAIT" ] ||
      fail "the data disk $BOOT_DATA_DISK did not appear within $BOOT_DISK_WAIT s. Is it attached to this machine?"
    sleep 1
    waited=$((waited + 1))
  done
}

is_release() { [ -f "$1" ] && printf '%s  %s\n' "$BOOT_RELEASE_SHA256" "$1" | sha256sum --check --status; }

# Sets "archive" to the verified release. An image can bring it along under this name.
get_release() {
  archive="$releases/$BOOT_RELEASE_SHA256.tar.gz"
  if is_release "$archive"; then
    say "using $archive of this image"
    return
  fi
  if ! command -v curl > /dev/null; then
    apt-get -q -o DPkg::Lock::Timeout=300 update
    DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=300 install curl ca-certificates
  fi
  mkdir -p "$releases"
  say "downloading $BOOT_RELEASE_URL"
  curl --fail --silent --show-error --location --proto '=https,http,file' --proto-redir '=https,http' \
    --connect-timeout 20 --max-time 900 --retry 10 --retry-all-errors --retry-delay 3 --retry-max-time 600 \
    --output "$archive.part" "$BOOT_RELEASE_URL"
  if ! is_release "$archive.part"; then
    rm -f "$archive.part"
    fail "$BOOT_RELEASE_URL does not have the SHA-256 $BOOT_RELEASE_SHA256. Nothing of it was run. Correct release_url or release_sha256."
  fi
  mv "$archive.part" "$archive"
}

unpack_release() {
  unpacked="$releases/$BOOT_RELEASE_SHA256"
  [ ! -e "$unpacked/install.sh" ] || return 0
  rm -rf "$unpacked.part"
  mkdir -p "$unpacked.part"
  tar -xzf "$archive" -C "$unpacked.part" --strip-components=1 --no-same-owner
  [ -e "$unpacked.part/install.sh" ] || fail "the release archive has no install.sh"
  rm -rf "$unpacked"
  mv "$unpacked.part" "$unpacked"
}

install_release() {
  local keys admins=()
  for keys in "$folder"/admins/*.pub; do
    admins+=(--admin "$(basename "$keys" .pub)" --admin-keys "$keys")
  done
  say 'installing'
  "$unpacked/install.sh" --data-disk "$BOOT_DATA_DISK" --hostname "$BOOT_HOSTNAME" "${admins[@]}"
}

# Terraform's settings replace those of the machine when they change, not each time: what an admin changes on the
# machine stays until then. The folder may be on the data disk, and so may the note which settings were the last.
apply_settings() {
  local wanted="$folder/settings.yaml" current="$home/containarium.yaml" note="$home/terraform-settings.sha256" sum
  sum=$(sha256sum < "$wanted")
  if [ -f "$note" ] && [ "$(cat "$note")" = "$sum" ]; then
    say 'the settings did not change'
    return
  fi
  containarium serve --check-settings --config "$wanted"
  [ ! -f "$current" ] || cp --preserve=mode,ownership "$current" "$current.before-terraform"
  cp "$wanted" "$current.part"
  mv "$current.part" "$current"
  printf '%s\n' "$sum" > "$note"
  systemctl try-restart containarium.service
  say 'the settings were applied'
}

wait_for_disk
get_release
unpack_release
install_release
apply_settings
: > "$folder/done"
say 'done'

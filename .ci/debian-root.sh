# SPDX-License-Identifier: GPL-2.0-only
# Sourced by .ci/test-on and others: Debian roots in a scratch folder. A command in a root has mounts and processes of its own, which the
# kernel ends with it: nothing stays mounted, whatever happens, so that a root can be removed as any other folder.
#   root_make SUITE FOLDER            a root of it in FOLDER
#   root_run FOLDER COMMAND...        runs COMMAND in there, as root, in /
# Downloaded packages are kept in build-roots/apt, for the next root. Where CCACHE_DIR is set, roots have ccache and use that cache.

readonly debian_mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
readonly root_megabytes=8000 # a root with all packages, a build and a build with sanitizers

root_die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 2
}

root_make() {
  local suite=$1 folder=$2 log=$2.log free
  ((EUID == 0)) || root_die "a Debian root needs root's rights (mount, mknod): run it as root"
  command -v mmdebstrap >/dev/null || root_die "mmdebstrap is missing: ./setup deps"
  mkdir -p "$folder" build-roots/apt
  free=$(df --output=avail -m "$folder" | tail -1)
  ((free >= root_megabytes)) || root_die "a Debian root takes $root_megabytes MB, $folder has $free: free some, or set TMPDIR"
  # a mirror may be weeks behind
  mmdebstrap --aptopt='Acquire::Check-Valid-Until "false"' --variant=minbase --include=ca-certificates --dpkgopt=force-unsafe-io "$suite" "$folder" "$debian_mirror" >"$log" 2>&1 ||
    root_die "no root of Debian $suite could be made: $(grep -m 1 -E '^(E|Err):' "$log") (suite and network right? $debian_mirror)"
  rm -f "$log"
  cat /etc/resolv.conf >"$folder/etc/resolv.conf"
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$(hostname)" >"$folder/etc/hosts"
  # whom this machine trusts, who may stand between it and PyPI
  if [[ -s /etc/ssl/certs/ca-certificates.crt ]]; then
    cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
  fi
  printf 'Acquire::Retries "3";\nAcquire::Check-Valid-Until "false";\n' >"$folder/etc/apt/apt.conf.d/80retries"
  rm -f "$folder"/etc/apt/apt.conf.d/docker-clean
  if [[ -n ${CCACHE_DIR:-} ]]; then
    root_run "$folder" sh -c 'apt-get -qq update && apt-get -qq install -y --no-install-recommends ccache' >/dev/null
  fi
}

root_run() {
  local folder=$1 binds=("$PWD/build-roots/apt" /var/cache/apt/archives) keep=(PIP_CERT=/etc/ssl/certs/ca-certificates.crt) name
  shift
  if [[ -n ${CCACHE_DIR:-} ]]; then
    binds+=("$CCACHE_DIR" /var/cache/ccache)
    keep+=(CCACHE_DIR=/var/cache/ccache)
  fi
  for name in http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || keep+=("$name=${!name}")
  done
  # pivot_root, not chroot: tests in there make namespaces, which the kernel refuses to a process that is chrooted
  unshare --mount --pid --fork --kill-child --propagation private bash -euc '
    folder=$1 binds=$2
    shift 2
    mount --bind "$folder" "$folder"
    cd "$folder"
    while ((binds > 0)); do
      mkdir -p "$1" ".$2"
      mount --bind "$1" ".$2"
      shift 2
      binds=$((binds - 1))
    done
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mkdir -p dev/pts dev/shm
    mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts dev/pts
    mount -t tmpfs tmpfs dev/shm
    ln -sf pts/ptmx dev/ptmx
    mkdir -p .outside
    pivot_root . .outside
    umount -l /.outside
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@"
  ' root "$folder" $((${#binds[@]} / 2)) "${binds[@]}" "${keep[@]}" "$@" </dev/null
}

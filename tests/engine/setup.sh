#!/usr/bin/env bash
# Makes what the tests of images need, once per machine: Docker's engine, Debian's registry and a base image.
# Safe to run again and by several at once. Prints the base image's name; says on stderr what it does.
#   tests/engine/setup.sh            everything
#   tests/engine/setup.sh --check    only say whether all of it is there (exit code 1 if not)
# SENDOFF_TEST_CACHE (default .cache) keeps the base image's archive.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache="${SENDOFF_TEST_CACHE:-$PWD/.cache}/engine"
base="sendoff-test/base:bookworm-slim"
archive="$cache/base-bookworm-slim.tar"

say() { echo "tests/engine/setup.sh: $*" >&2; }
answers() { docker version >/dev/null 2>&1; }

if [ "${1:-}" = "--check" ]; then
  command -v docker-registry >/dev/null && answers && docker image inspect "$base" >/dev/null 2>&1 && echo "$base"
  exit
fi

mkdir -p "$cache"
exec 9>/tmp/dockerd-start.lock
flock 9

missing=()
command -v dockerd >/dev/null || missing+=(docker.io)
command -v iptables >/dev/null || missing+=(iptables)
command -v ip >/dev/null || missing+=(iproute2)
command -v docker-registry >/dev/null || missing+=(docker-registry)
[ -f "$archive" ] || command -v debootstrap >/dev/null || missing+=(debootstrap)
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 \
    || { tail -20 "$cache/apt.log" >&2; exit 1; }
fi

if ! answers; then
  say "starting dockerd"
  # No engine answers: what one that was killed left would keep a new one from starting once its id is another's.
  rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
  # The lock's descriptor must not stay open in the daemon.
  setsid dockerd >"$cache/dockerd.log" 2>&1 9>&- </dev/null &
  for _ in $(seq 120); do answers && break; sleep 0.5; done
  answers || { tail -20 "$cache/dockerd.log" >&2; exit 1; }
fi

if ! docker image inspect "$base" >/dev/null 2>&1; then
  if [ ! -f "$archive" ]; then
    say "making $base with debootstrap"
    # The mirror that this machine's apt uses, from whichever form its sources have.
    mirror="$(apt-get indextargets --format '$(SITE) $(RELEASE)' 2>/dev/null | awk '$2 == "bookworm" {print $1; exit}')"
    root="$(mktemp -d /var/tmp/sendoff-base.XXXXXX)"
    trap 'rm -rf "$root"' EXIT
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$root/fs" ${mirror:+"$mirror"} \
      >"$cache/debootstrap.log" 2>&1 || { tail -20 "$cache/debootstrap.log" >&2; exit 1; }
    rm -rf "$root"/fs/var/cache/apt/* "$root"/fs/var/lib/apt/lists/* "$root"/fs/var/log/* "$root"/fs/dev/* \
      "$root"/fs/etc/apt/sources.list "$root"/fs/etc/resolv.conf
    # A quarter of it, which every push, pull and look into an image would carry.
    rm -rf "$root"/fs/usr/share/doc/* "$root"/fs/usr/share/man/* "$root"/fs/usr/share/locale/* "$root"/fs/usr/share/info/*
    tar -C "$root/fs" --numeric-owner --sort=name -cf "$archive.part" .
    mv "$archive.part" "$archive"
  fi
  say "importing $base"
  docker import --change 'CMD ["bash"]' --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    "$archive" "$base" >/dev/null
fi
echo "$base"

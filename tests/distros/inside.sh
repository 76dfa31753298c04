#!/bin/sh
# distros/inside.sh ROOT COMMAND...: runs a command in a root folder, with /proc, /dev and a /dev/shm of its own, none
# of which are left behind. Processes that it leaves end with it.
# shellcheck disable=SC2016 # the inner shell's
exec unshare --mount --pid --fork --kill-child sh -c '
    mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
        mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" && exec chroot "$@"' sh "$@"

#!/usr/bin/env bash
# Runs the benchmarks of a build: bench/run.sh BUILD_DIR [NAME [ARGUMENTS]]. Without a name: all, in their short form.
set -euo pipefail

readonly names="throughput small_requests inflight bulk json_body hashing"

usage() {
    printf 'usage: bench/run.sh BUILD_DIR [NAME [ARGUMENTS]]\n'
    printf 'Without a name: all, in their short form. NAME --help tells the options of one.\nNames: %s\n' "$names"
}

case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
    '')
        usage >&2
        exit 2
        ;;
esac
build=$1
shift
run() {
    local name=$1
    shift
    printf '== %s\n' "$name $*" >&2
    "$build/bench/$name" "$@"
}

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    usage
elif (($#)); then
    # shellcheck disable=SC2086  # one word a name
    if ! printf '%s\n' $names | grep -qx -- "$1"; then
        printf 'bench: there is no %s; there are: %s\n' "$1" "$names" >&2
        exit 2
    fi
    run "$@"
else
    run throughput --rounds 3
    run small_requests --rounds 3
    run inflight --rounds 1
    run bulk --waves 5 --rows 1000000
    run json_body
    run hashing --rounds 3 --seconds 1 --program "$build/bin/vembed"
fi

#!/usr/bin/env bash
# The long counts, all of them from SEED (docs/soak.md says how to run one of them again). Results belong in docs/soak.md.
# Usage: tests/soak.sh [SEED [PART...]]   PART: properties, kills, fuzz; all if none is named
set -euo pipefail
cd "$(dirname "$0")/.."
seed=${1:-$(date +%s)}
[[ $seed =~ ^[0-9]+$ ]] || { echo "soak: the seed is a number, not '$seed'" >&2; exit 2; }
shift || true
[ $# -gt 0 ] || set -- properties kills fuzz
export CONCORDAT_SEED=$seed

properties() {
    echo "== unit tests, property loops 100 times as long, CONCORDAT_SEED=$seed"
    CONCORDAT_COUNT_SCALE=100 ctest --test-dir build/dev -R '^unit' --timeout 7200 --output-on-failure -j "$(nproc)"
}

kills() {
    local count=${CONCORDAT_KILLS:-5000}
    echo "== kills under traffic, $count, CONCORDAT_SEED=$seed"
    CONCORDAT_KILLS=$count CONCORDAT_BIN=$PWD/build/dev/bin CONCORDAT_SOURCE=$PWD \
        /usr/bin/python3 tests/scenarios/test_kills.py
}

fuzz() {
    local seconds=${CONCORDAT_FUZZ_SECONDS:-600}
    echo "== fuzzing, $seconds s a target, -seed=$seed"
    ./dev fuzz "$seconds"
}

for part in "$@"; do
    case $part in
    properties | kills | fuzz) ;;
    *) echo "soak: unknown part '$part'; there are properties, kills and fuzz" >&2; exit 2 ;;
    esac
done
echo "soak: seed $seed, $(git rev-parse --short HEAD), $(date -u +%Y-%m-%dT%H:%MZ), $*"
cmake --preset dev >/dev/null
cmake --build --preset dev >/dev/null
for part in "$@"; do
    "$part"
done
echo "soak: done, seed $seed, $*"

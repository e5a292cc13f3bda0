#!/usr/bin/env bash
# The long counts: property loops, kills under traffic and fuzzing, all of them from SEED (docs/soak.md says how to run one
# of them again). Results belong in docs/soak.md.
# Usage: tests/soak.sh [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."
seed=${1:-$(date +%s)}
seconds=${CONCORDAT_FUZZ_SECONDS:-600}
export CONCORDAT_SEED=$seed
echo "soak: seed $seed, $(git rev-parse --short HEAD), $(date -u +%Y-%m-%dT%H:%MZ)"

cmake --preset dev >/dev/null
cmake --build --preset dev >/dev/null
echo "== unit tests, property loops 100 times as long, CONCORDAT_SEED=$seed"
CONCORDAT_COUNT_SCALE=100 ctest --test-dir build/dev -R '^unit' --timeout 3600 --output-on-failure -j "$(nproc)"
echo "== kills under traffic, ${CONCORDAT_KILLS:=5000}, CONCORDAT_SEED=$seed"
CONCORDAT_KILLS=$CONCORDAT_KILLS CONCORDAT_BIN=$PWD/build/dev/bin CONCORDAT_SOURCE=$PWD \
    /usr/bin/python3 tests/scenarios/test_kills.py
echo "== fuzzing, $seconds s a target, -seed=$seed"
./dev fuzz "$seconds"
echo "soak: done, seed $seed"

#!/usr/bin/env bash
# The long counts: property loops, kills under traffic and fuzzing. SEED is that of the kills; the property loops have
# fixed seeds of their own, in their sources. Results belong in docs/soak.md.
# Usage: tests/soak.sh [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."
seed=${1:-$(date +%s)}
seconds=${CONCORDAT_FUZZ_SECONDS:-600}
echo "soak: seed $seed, $(git rev-parse --short HEAD), $(date -u +%Y-%m-%dT%H:%MZ)"

cmake --preset dev >/dev/null
cmake --build --preset dev >/dev/null
echo "== unit tests, property loops 100 times as long"
CONCORDAT_COUNT_SCALE=100 ctest --test-dir build/dev -R '^unit' --timeout 3600 --output-on-failure -j "$(nproc)"
echo "== kills under traffic, 5,000"
CONCORDAT_KILLS=5000 CONCORDAT_SEED=$seed CONCORDAT_BIN=$PWD/build/dev/bin CONCORDAT_SOURCE=$PWD \
    /usr/bin/python3 tests/scenarios/test_kills.py
echo "== fuzzing, $seconds s a target"
./dev fuzz "$seconds"
echo "soak: done, seed $seed"

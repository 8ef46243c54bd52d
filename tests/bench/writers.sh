#!/bin/bash
# Several processes write under the writer lock, and by SQLite's own waiting, on a disk whose every sync takes 1 ms longer.
# usage: tests/bench/writers.sh [SECONDS [PROCESSES]]
set -eu
cd "$(dirname "$0")/../.."
make -s build/bench/writers build/bench/slow_fsync.so
exec env LD_PRELOAD=build/bench/slow_fsync.so build/bench/writers "$@"

#!/usr/bin/env bash
# run.sh FOLDER TARGET SEED WORK LIBFUZZER-ARGUMENT...: one fuzz target of the build in FOLDER, from the corpus beside this
# file. What it finds new goes to WORK/TARGET and is gone on from the next time; bytes that break the property are made
# small and kept in WORK/findings. Fails where there was such a finding. For ./dev fuzz and for the tests' smoke run.
set -euo pipefail
BUILT=$1 TARGET=$2 SEED=$3 WORK=$4
shift 4
CORPUS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/corpus/$TARGET
PROGRAM=$BUILT/tests/fuzz/fuzz_$TARGET
LOG=$WORK/$TARGET.log

[ -x "$PROGRAM" ] || { echo "error: $PROGRAM is not built; ./dev build fuzz" >&2; exit 1; }
mkdir -p "$WORK/$TARGET" "$WORK/findings"
echo "$TARGET: seed $SEED (CHAT_SEED=$SEED repeats it)"
FOLDERS=("$WORK/$TARGET")
[ ! -d "$CORPUS" ] || FOLDERS+=("$CORPUS")
# The time for one input is generous: the machine may be busy.
if "$PROGRAM" -seed="$SEED" -max_len=4096 -timeout=60 -rss_limit_mb=3000 -print_final_stats=1 -artifact_prefix="$WORK/findings/$TARGET-" \
  "$@" "${FOLDERS[@]}" >"$LOG" 2>&1; then
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$LOG")
  covered=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\).*/\1 edges, \2 features/p' "$LOG" | tail -n 1)
  echo "$TARGET: 0 findings in ${runs:-?} runs, $covered"
  exit
fi

grep -aE -A2 '^FALSE|ERROR: |runtime error: |terminate called' "$LOG" | head -n 12 || tail -n 20 "$LOG"
found=$(sed -n 's/.*Test unit written to //p' "$LOG" | tail -n 1)
[ -n "$found" ] || { echo "error: $TARGET ended without a finding; its log: $LOG" >&2; exit 1; }
small=$WORK/findings/$TARGET-small
if "$PROGRAM" -minimize_crash=1 -runs=20000 -timeout=60 -exact_artifact_path="$small" "$found" >"$LOG.small" 2>&1 && [ -s "$small" ]; then found=$small; fi
echo "FINDING of $TARGET: $found ($(stat -c %s "$found") bytes)"
od -An -c "$found" | head -n 8
echo "$PROGRAM $found shows it again. Mended, its bytes belong into tests/fuzz/corpus/$TARGET, and its story into a test."
exit 1

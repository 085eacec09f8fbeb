#!/usr/bin/env bash
# smoke.sh FOLDER TARGET RUNS: the corpus and so many inputs made of it, always the same ones unless CHAT_SEED says another
# seed. Of the canary it is demanded that its fault is found.
set -euo pipefail
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
if [ "$2" != canary ]; then
  "$HERE/run.sh" "$1" "$2" "${CHAT_SEED:-1}" "$WORK" -runs="$3"
elif [ ! -x "$1/tests/fuzz/fuzz_canary" ]; then
  echo "$1/tests/fuzz/fuzz_canary is not built; ./dev build fuzz"
  exit 1
elif "$1/tests/fuzz/fuzz_canary" -seed="${CHAT_SEED:-1}" -runs="$3" -artifact_prefix="$WORK/" >"$WORK/said" 2>&1; then
  echo "the fault in the canary was not found in $3 runs"
  exit 1
else
  grep -q heap-buffer-overflow "$WORK/said" || { cat "$WORK/said"; echo "the canary ended by something else than its fault"; exit 1; }
  echo "the canary's fault was found"
fi

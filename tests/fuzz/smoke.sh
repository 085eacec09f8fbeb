#!/usr/bin/env bash
# smoke.sh FOLDER TARGET RUNS: the corpus and so many inputs made of it, always the same ones unless CHAT_SEED says another
# seed. Of the canary it is demanded that its fault is found.
set -euo pipefail
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
if [ "$2" != canary ]; then
  "$HERE/run.sh" "$1" "$2" "${CHAT_SEED:-1}" "$WORK" -runs="$3"
elif "$HERE/run.sh" "$1" canary "${CHAT_SEED:-1}" "$WORK" -runs="$3" >"$WORK/said"; then
  echo "the fault in the canary was not found: $(cat "$WORK/said")"
  exit 1
else
  grep -q heap-buffer-overflow "$WORK/said" || { cat "$WORK/said"; echo "the canary ended by something else than its fault"; exit 1; }
  echo "the canary's fault was found"
fi

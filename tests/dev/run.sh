#!/usr/bin/env bash
# run.sh SCRIPT CASE FOLDER BUILD: runs test_CASE of SCRIPT with ./dev as a person has it, in a folder of its own.
#
# A case fails by any command that fails (set -e), by `expect` and by `wrong`. The systems that it starts in $HERE, $HERE/a and
# $HERE/b are taken down however it ends.
set -euo pipefail
SCRIPT=$1 CASE=$2 BUILD_FOLDER=$4
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
mkdir -p "$3"
HERE=$(mktemp -d "$3/$CASE.XXXXXX")
CHILDREN=()

take_down() {
  local code=$? folder
  trap - EXIT
  [ "$code" = 0 ] || echo "---- $CASE ended with $code; the last lines of the logs:"
  for folder in "$HERE" "$HERE/a" "$HERE/b"; do
    [ -e "$folder/.chat-run" ] || continue
    if [ "$code" != 0 ]; then tail -n 6 "$folder"/*.log 2>/dev/null || true; fi
    CHAT_RUN_DIR=$folder "$ROOT/dev" down --purge >/dev/null 2>&1 || echo "could not take down $folder"
  done
  [ ${#CHILDREN[@]} = 0 ] || kill "${CHILDREN[@]}" 2>/dev/null || true
  rm -rf "$HERE" ${ROOM:+"$ROOM"}
  exit "$code"
}
trap take_down EXIT

wrong() {
  echo "wrong: $*" >&2
  exit 1
}

# expect WORD IN TEXT
expect() { case $3 in *"$1"*) ;; *) wrong "\"$1\" is not in: $3" ;; esac; }

# refused COMMAND...: it must fail; its words are in $SAID.
refused() {
  # shellcheck disable=SC2034
  if SAID=$("$@" 2>&1); then wrong "this was not refused: $*"; fi
}

# A variable of a system's env file, as a shell reads it.
# shellcheck disable=SC1091
variable() { (. "${2:-$HERE}/env" && printf %s "${!1}"); }

eventually() { # WHAT COMMAND...
  local began=$SECONDS what=$1
  shift
  until "$@"; do
    [ $((SECONDS - began)) -lt 30 ] || wrong "not within 30 s: $what"
    sleep 0.05
  done
}

dev() { "$ROOT/dev" "$@"; }

unset CHAT_PORT CHAT_WS_PORT CHAT_PG_PORT CHAT_REDIS_PORT CHAT_PLUGIN_OPTS CHAT_BROKER_CONF CHAT_USERS CHAT_PREFIX CHAT_BROKER_WRAPPER
export CHAT_RUN_DIR=$HERE CHAT_BARE=1 CHAT_BIN_DIR=$BUILD_FOLDER
# shellcheck disable=SC1090
. "$SCRIPT"
cd "$ROOT"
"test_$CASE"

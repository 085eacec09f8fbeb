# shellcheck shell=bash
# What every command of ./dev shares: where things lie, how it speaks, how it shows that a long step is alive.

BUILD=$ROOT/build
# It is remembered, and read again from other folders.
case ${CHAT_BIN_DIR:-/} in /*) ;; *) CHAT_BIN_DIR=$PWD/$CHAT_BIN_DIR ;; esac
BIN=${CHAT_BIN_DIR:-$BUILD/release}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
  BOLD='' DIM='' RED='' GREEN='' YELLOW='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
step() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"; }
warn() { printf '%swarning:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }

# fail WHAT [WHAT TO DO]...
fail() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
  shift
  local line
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

show_tail() { # FILE [LINES]
  [ -s "$1" ] || { printf '       (nothing in %s)\n' "$1" >&2; return 0; }
  printf '       last lines of %s:\n' "$1" >&2
  tail -n "${2:-12}" "$1" | sed 's/^/       | /' >&2
}

# A pause without a process: reading from a pipe that nobody writes to.
exec {NAP}<> <(:)
nap() { read -rt "${1:-0.02}" -u "$NAP" || true; }

# with_heartbeat NAME LOG COMMAND...: runs the command with its output on the terminal and in LOG; a line every 10 s tells
# that it lives while it says nothing itself. The command's exit code.
with_heartbeat() {
  local name=$1 log=$2
  shift 2
  : >"$log"
  local began=$SECONDS code=0
  (
    while nap 10; do
      age=$(($(date +%s) - $(stat -c %Y "$log")))
      [ "$age" -lt 10 ] || printf '    ... %s: still running, %d s\n' "$name" $((SECONDS - began))
    done
  ) &
  local heart=$!
  "$@" 2>&1 | tee "$log" || code=$?
  kill "$heart" 2>/dev/null || true
  wait "$heart" 2>/dev/null || true
  return "$code"
}

# need_number OPTION VALUE LEAST MOST: a whole number within bounds.
need_number() {
  [[ $2 =~ ^[0-9]{1,9}$ ]] && [ "$((10#$2))" -ge "$3" ] && [ "$((10#$2))" -le "$4" ] || fail "$1 \"$2\" is not a whole number from $3 to $4"
}

# One run at a time has the folder, to the end of this ./dev. Services are started with {LONE}>&-: they may outlive it.
lone_run() { # COMMAND FOLDER
  exec {LONE}>"$2/.lock"
  flock -n "$LONE" || fail "another ./dev $1 works in $2"
}

numbered() { # PREFIX COUNT SEPARATOR [SUFFIX]: a1 a2 a3
  local i list=''
  for ((i = 1; i <= $2; i++)); do list+=${list:+$3}$1$i${4-}; done
  printf %s "$list"
}

# A clear word before a confusing one of some program.
need_writable() { # FOLDER
  mkdir -p "$1" 2>/dev/null && [ -w "$1" ] || fail "cannot write to $1" "It belongs to $(stat -c %U "$1" 2>/dev/null || echo nobody we know); you are $(id -un)."
}

shell_quoted() { # a value as sh reads it back, unquoted where that is plain to see
  case $1 in
    *[!A-Za-z0-9_./:@%+=,-]*) printf "'%s'" "${1//\'/\'\\\'\'}" ;;
    *) printf '%s' "$1" ;;
  esac
}

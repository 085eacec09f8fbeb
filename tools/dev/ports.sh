# shellcheck shell=bash
# Free ports on 127.0.0.1. What listens is read from /proc, so that nobody is disturbed by a connection that is only a
# question; what other `./dev up` of this tree have chosen but not bound yet stands in build/ports.

port_listening() {
  local hex
  printf -v hex '%04X' "$1"
  grep -qsE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:0000 0A" /proc/net/tcp /proc/net/tcp6
}

RESERVED=()

reserve() { # PORT NAME: fails where somebody else has it, or this process chose it under another name
  local file=$BUILD/ports/$1 pid birth name facts
  port_listening "$1" && return 1
  if { read -r pid birth name <"$file"; } 2>/dev/null && [ "$pid $name" != "$$ $2" ] && facts=$(process_facts "$pid") && [ "${facts##* }" = "$birth" ]; then return 1; fi
  facts=$(process_facts $$)
  printf '%s %s %s\n' $$ "${facts##* }" "$2" >"$file"
  RESERVED+=("$file")
}

release_ports() { [ ${#RESERVED[@]} = 0 ] || rm -f "${RESERVED[@]}"; }

# choose_port NAME FORCED SAVED FIRST: sets NAME. A forced port that is taken is an error; a saved one is taken up again
# where it can be; else the first free one from FIRST on.
choose_port() {
  local name=$1 variable=CHAT_$1 forced=$2 saved=$3 port=$4
  if [ -n "$forced" ]; then
    case $forced in *[!0-9]* | '') fail "$variable=$forced is not a port (1 to 65535)" ;; esac
    [ "$forced" -ge 1 ] && [ "$forced" -le 65535 ] || fail "$variable=$forced is not a port (1 to 65535)"
    reserve "$forced" "$name" || fail "$variable=$forced is taken by another program" "Give another number, or leave $variable out: then a free one is found."
    printf -v "$name" %s "$forced"
    return
  fi
  if [ -n "$saved" ] && reserve "$saved" "$name"; then printf -v "$name" %s "$saved" && return; fi
  local last=$((port + 2000))
  until reserve "$port" "$name"; do
    port=$((port + 1))
    [ "$port" -le "$last" ] || fail "no free port between $4 and $last for $variable"
  done
  printf -v "$name" %s "$port"
}

# The default folder has the round numbers that the documents name; any other starts somewhere of its own.
first_port() {
  if [ "$RUN" = "$BUILD/run" ]; then
    printf 18830
  else
    local sum
    sum=$(printf %s "$RUN" | cksum)
    printf '%d' $((19000 + ${sum%% *} % 1200 * 10))
  fi
}

# Sets PORT, WS_PORT, PG_PORT and REDIS_PORT and writes them down for the next start. A service that runs keeps its own.
choose_ports() {
  local first
  first=$(first_port)
  mkdir -p "$BUILD/ports"
  local lock
  exec {lock}>"$BUILD/ports/.lock"
  flock "$lock"
  is_up broker || choose_port PORT "${CHAT_PORT:-}" "$PORT" "$first"
  is_up broker || choose_port WS_PORT "${CHAT_WS_PORT:-}" "$WS_PORT" $((first + 1))
  is_up postgres || choose_port PG_PORT "${CHAT_PG_PORT:-}" "$PG_PORT" $((first + 2))
  is_up redis || choose_port REDIS_PORT "${CHAT_REDIS_PORT:-}" "$REDIS_PORT" $((first + 3))
  exec {lock}>&-
  save_settings
}

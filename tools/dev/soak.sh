# shellcheck shell=bash
# soak: an hour of ordinary traffic through a system of its own, and whether the broker's memory stays flat.
#
# Three quarters of the messages are direct ones of eight pairs, a quarter goes to two groups of five; who receives
# acknowledges. Visitors come one after the other: each writes to the next one, hears what waits for it, asks the bridge
# something and goes. In the first quarter they come as fast as they can, so that each has been here a few times and what is
# remembered of them is complete; then two a second. Every five minutes all the others come anew, too. Bodies have 20 to 180
# bytes: with messages of one size alone, the allocator's worst case (messages one byte longer, for which no freed block is
# large enough: once a quarter of the hot tail) would come whenever their size changes, and not at the start.
#
# Flat: what must stop growing are the caches, so they are small (SOAK_OPTIONS) and full well before the second half. Of that
# half's samples a straight line is laid (least squares), and its rise in an hour must stay under one hundredth of the memory
# or 1 MiB, whichever is more. At 2,000 messages a second a leak of the smallest block (32 bytes) at one message of a
# hundred would be twice that.

SOAK_OPTIONS='cache_mb=1;hot_tail_mb=16;journal_segment_mb=16'
SOAK_SLICE=300 # seconds in which the devices stay
SOAK_VISITORS=200

cmd_soak() {
  local minutes=60 rate=2000 code=0
  while [ $# -gt 0 ]; do
    case $1 in
      --minutes | --rate)
        [ $# -gt 1 ] || fail "$1 needs a number"
        if [ "$1" = --minutes ]; then minutes=$2; else rate=$2; fi
        shift
        ;;
      *) fail "./dev soak knows no \"$1\"" "./dev soak [--minutes M] [--rate MESSAGES_A_SECOND]" ;;
    esac
    shift
  done
  need_number --minutes "$minutes" 8 10080
  need_number --rate "$rate" 16 100000
  local load=$BIN/bench/load/chat-load
  if [ -z "${CHAT_BIN_DIR:-}" ]; then
    cmd_deps
    build_targets release "${DEMO_TARGETS[@]}" bench/load/chat-load
  fi
  [ -x "$load" ] || fail "the load generator is not built: $load" "./dev build builds it."

  SOAK_DIR=${CHAT_RUN_DIR:-$BUILD/soak}
  mkdir -p "$SOAK_DIR" || fail "cannot make the folder $SOAK_DIR"
  SOAK_DIR=$(cd "$SOAK_DIR" && pwd -P)
  lone_run soak "$SOAK_DIR"
  trap soak_end EXIT
  soak_begin
  soak_traffic "$minutes" "$rate" "$load" || code=1
  soak_verdict "$SOAK_DIR/samples" "$rate" || code=1
  exit "$code"
}

soak_dev() { CHAT_RUN_DIR=$SOAK_DIR/system CHAT_BIN_DIR=$BIN "$ROOT/dev" "$@" {LONE}>&-; }
soak_sql() { psql -XAtqc "$1" "$CHAT_PG"; }

SOAK_LEGS=()
soak_end() {
  trap - EXIT
  if [ ${#SOAK_LEGS[@]} != 0 ]; then kill "${SOAK_LEGS[@]}" 2>/dev/null || true; fi
  soak_dev down --purge >/dev/null 2>&1 || true
  release_ports
}

soak_begin() {
  local everybody pair
  everybody="$(numbered s 8 ' ') $(numbered r 8 ' ') $(numbered a 5 ' ') $(numbered b 5 ' ') $(numbered v "$SOAK_VISITORS" ' ')"
  soak_dev down --purge >/dev/null 2>&1 || true # of a run that was killed
  rm -f "$SOAK_DIR"/*.log "$SOAK_DIR"/failed "$SOAK_DIR"/samples
  step "The system in $SOAK_DIR/system, with $SOAK_OPTIONS"
  CHAT_USERS=$everybody CHAT_PLUGIN_OPTS="$SOAK_OPTIONS;${CHAT_PLUGIN_OPTS:-}" soak_dev up >"$SOAK_DIR/up.log" 2>&1 ||
    { show_tail "$SOAK_DIR/up.log"; fail "the system did not start"; }
  # shellcheck disable=SC1091
  set -a && . "$SOAK_DIR/system/env" && set +a
  # shellcheck disable=SC2086
  "$CHAT_CTL" user add --if-missing $everybody >"$SOAK_DIR/users.log" 2>&1 || { show_tail "$SOAK_DIR/users.log"; fail "chatctl could not add the users"; }
  SOAK_GROUPS=''
  for pair in a b; do
    SOAK_GROUPS+=${SOAK_GROUPS:+,}chat/c/$("$CHAT_CTL" --json conversation create --owner ${pair}1 --member ${pair}2 --member ${pair}3 \
      --member ${pair}4 --member ${pair}5 | jq -r '.name // .conversation.name // .conversation')/msg
  done
}

# The legs, each a process of its own, and a line of figures each minute.
soak_traffic() { # MINUTES RATE LOAD
  local minutes=$1 rate=$2 load=$3 began=$SECONDS minute row
  local end=$((SECONDS + 60 * minutes)) inboxes
  inboxes=$(numbered chat/u/r 8 , /inbox)
  soak_leg "$end" "$load" --rate $((rate - rate / 4)) --senders "$(numbered s 8 ,)" --topics "$(numbered chat/d/r 8 , /msg)" \
    --receivers "$(numbered r 8 ,)" --filters "$inboxes" >"$SOAK_DIR/direct.log" 2>&1 &
  SOAK_LEGS+=($!)
  inboxes=$(numbered chat/u/a 5 , /inbox),$(numbered chat/u/b 5 , /inbox)
  soak_leg "$end" "$load" --rate $((rate / 4)) --senders a1,b1 --topics "$SOAK_GROUPS" --copies 5 \
    --receivers "$(numbered a 5 ,),$(numbered b 5 ,)" --filters "$inboxes" >"$SOAK_DIR/groups.log" 2>&1 &
  SOAK_LEGS+=($!)
  soak_visits "$end" $((SECONDS + 15 * minutes)) >"$SOAK_DIR/visits.log" 2>&1 &
  SOAK_LEGS+=($!)
  step "$minutes minutes at $rate messages a second; a line each minute, and all of them in $SOAK_DIR/samples"
  printf '%7s %9s %9s %10s %10s %11s %7s %8s\n' minute broker_kB its_heap bridge_kB its_heap journal_B lag_ms messages | tee "$SOAK_DIR/samples"
  for ((minute = 1; minute <= minutes; minute++)); do
    while [ $((SECONDS - began)) -lt $((60 * minute)) ]; do
      if [ -e "$SOAK_DIR/failed" ]; then
        cat "$SOAK_DIR"/failed >&2
        fail "the traffic broke off in minute $minute: nothing can be said of the memory"
      fi
      nap 0.5
    done
    row=$(soak_sample "$minute") || { say "$row"; fail "no figures in minute $minute: a service has ended, or PostgreSQL does not answer"; }
    say "$row" | tee -a "$SOAK_DIR/samples"
  done
  wait "${SOAK_LEGS[@]}" || true
  SOAK_LEGS=()
  [ ! -e "$SOAK_DIR/failed" ] || { cat "$SOAK_DIR/failed" >&2; return 1; }
  say "    visits: $(grep -c '^heard' "$SOAK_DIR/visits.log" || true) heard what waited, $(grep -c '^answered' "$SOAK_DIR/visits.log" || true) were answered by the bridge"
}

# soak_leg END LOAD ARGUMENTS...: the generator again and again. It fails by itself where a message is missing or comes twice.
soak_leg() {
  local end=$1 load=$2 length tag turn=0
  shift 2
  tag=$(od -An -tx4 -N4 /dev/urandom | tr -d ' ')
  while length=$((end - SECONDS)) && [ "$length" -gt 2 ]; do
    [ "$length" -lt $((2 * SOAK_SLICE)) ] && [ "$length" -gt $SOAK_SLICE ] && length=$((length / 2))
    [ "$length" -le $SOAK_SLICE ] || length=$SOAK_SLICE
    turn=$((turn + 1))
    "$load" flow --port "$CHAT_PORT" --password demo --tag "$tag-$turn" --ack-topic chat/ack --warm-up 0 --body 20 --body-most 180 \
      --seconds "$length" "$@" 2>&1 ||
      { say "the load generator, turn $turn of $2 $3, ended with an error (see the logs in $SOAK_DIR)" >>"$SOAK_DIR/failed"; return 1; }
  done
}

soak_visits() { # END QUIET: from then on they come with pauses
  local number=0 next user
  while [ "$SECONDS" -lt "$1" ]; do
    number=$((number % SOAK_VISITORS + 1)) next=$((number % SOAK_VISITORS + 1))
    user=(-p "$CHAT_PORT" -i "v$number-phone" -u "v$number" -P demo -q 1)
    mosquitto_pub "${user[@]}" -t "chat/d/v$next/msg" -m "{\"id\":\"visit-$SECONDS-$number\",\"body\":\"Are you there?\"}" && say "sent"
    # Nothing waits for the very first one.
    mosquitto_sub "${user[@]}" -t "chat/u/v$number/inbox" -C 1 -W 5 >/dev/null && say "heard"
    mosquitto_rr "${user[@]}" -t chat/rpc/conversation.list -e "chat/u/v$number/reply/v$number-phone" -m '{"id":"r"}' -W 5 >/dev/null && say "answered"
    [ "$SECONDS" -lt "$2" ] || nap 0.4
  done
}

soak_memory() { awk '/^VmRSS:/ { all = $2 } /^RssAnon:/ { heap = $2 } END { if (!all) exit 1; print all, heap }' "/proc/$1/status"; }

soak_sample() { # MINUTE: a row of the table
  local broker bridge journal lag messages
  broker=$(soak_memory "$CHAT_BROKER_PID") && bridge=$(soak_memory "$CHAT_BRIDGE_PID") || return 1
  journal=$(find "$CHAT_JOURNAL_DIR" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
  # How old the newest message is that PostgreSQL has, in the conversation with the most of them.
  lag=$(soak_sql "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint - server_time FROM messages
    WHERE conv_id = (SELECT id FROM conversations ORDER BY last_seq DESC LIMIT 1) ORDER BY seq DESC LIMIT 1") || return 1
  messages=$(soak_sql 'SELECT sum(last_seq) FROM conversations') || return 1
  # shellcheck disable=SC2086
  printf '%7d %9d %9d %10d %10d %11d %7d %8d\n' "$1" $broker $bridge "$journal" "$lag" "$messages"
}

# soak_verdict SAMPLES RATE: whether both programs stay flat in the second half, and whether they really had the traffic. A machine
# that is too busy for it lets messages pile up, which takes memory of another kind.
soak_verdict() {
  awk -v rate="$2" '
    NR > 1 { minute[++n] = $1; of["broker", n] = $2; of["bridge", n] = $4; messages[n] = $8 }
    function rise(name,    i, first, count, mx, my, top, bottom) { # KiB an hour
      first = int(n / 2) + 1
      for (i = first; i <= n; i++) { count++; mx += minute[i]; my += of[name, i] }
      mx /= count; my /= count; mean = my
      for (i = first; i <= n; i++) { top += (minute[i] - mx) * (of[name, i] - my); bottom += (minute[i] - mx) ^ 2 }
      return top / bottom * 60
    }
    function judge(name,    grown, bound) {
      grown = rise(name)
      bound = mean / 100 > 1024 ? mean / 100 : 1024
      printf "%s: %.0f KiB in the mean of the second half, rising by %.0f KiB an hour (bound %.0f): %s\n", \
        name, mean, grown, bound, grown <= bound ? "flat" : "NOT FLAT"
      return grown <= bound
    }
    END {
      if (n < 8) { print "too few samples to judge: " n; exit 1 }
      held = (messages[n] - messages[1]) / (minute[n] - minute[1]) / 60
      printf "%d messages in %d minutes, %.0f a second behind the first minute\n", messages[n], minute[n], held
      good = judge("broker"); good = judge("bridge") && good
      if (held < 0.97 * rate) { printf "only %.0f of the %d messages a second went through: repeat it on a machine with nothing else to do\n", held, rate; good = 0 }
      exit !good
    }' "$1"
}

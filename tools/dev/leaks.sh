# shellcheck shell=bash
# leaks: the broker under valgrind, a million messages through the plugin, a clean stop, and nothing of ours left over.
#
# A block counts as ours where the plugin stands anywhere in the stack that allocated it, also through libpq or the standard
# library. The broker takes the plugin out of memory before it ends, so a block that only a variable of ours points to counts
# as lost, too. Reads and writes outside of what is allocated, and decisions on what was never written, count likewise.

LEAKS_FRAME='chat::|mosquitto_plugin_|mosquitto_chat' # of the plugin's functions, in valgrind's words

cmd_leaks() {
  local messages=1000000
  while [ $# -gt 0 ]; do
    case $1 in
      --messages)
        [ $# -gt 1 ] || fail "--messages needs a number"
        messages=$2
        shift
        ;;
      *) fail "./dev leaks knows no \"$1\"" "./dev leaks [--messages N]" ;;
    esac
    shift
  done
  need_number --messages "$messages" 100 100000000
  cmd_deps
  need_valgrind
  build_targets release "${DEMO_TARGETS[@]}" mosquitto_chat_defects bench/load/chat-load
  # Programs of its own folder: the one with the defect stands in the plugin's place there.
  LEAKS_DIR=$BUILD/leaks
  mkdir -p "$LEAKS_DIR"
  lone_run leaks "$LEAKS_DIR"
  rm -rf "${LEAKS_DIR:?}/bin"
  mkdir -p "$LEAKS_DIR/bin/plugin"
  ln -s "$BIN/chatctl" "$BIN/bridge" "$LEAKS_DIR/bin/"
  ln -s "$BIN/tests/sanitize/mosquitto_chat_defects.so" "$LEAKS_DIR/bin/plugin/mosquitto_chat.so"
  trap leaks_end EXIT

  step "A deliberate leak, to see that it is seen"
  CHAT_DEFECT=mosquitto:leak leaks_run 1000 "$LEAKS_DIR/bin"
  if leaks_verdict "$LEAKS_DIR/valgrind.log" >"$LEAKS_DIR/proof" || ! grep -q 'defects::.*leak' "$LEAKS_DIR/proof"; then
    cat "$LEAKS_DIR/proof" >&2
    fail "the deliberate leak was not found, so a real one would not be either" "The log: $LEAKS_DIR/valgrind.log"
  fi
  say "    found"
  step "$messages messages"
  leaks_run "$messages" "$BIN"
  leaks_verdict "$LEAKS_DIR/valgrind.log"
}

# The debugging symbols of libc are what lets it follow the dynamic linker.
need_valgrind() {
  local missing
  mapfile -t missing < <(missing_of valgrind libc6-dbg)
  [ ${#missing[@]} = 0 ] || fail "packages are missing: ${missing[*]}" "apt-get install ${missing[*]}"
}

leaks_dev() { CHAT_RUN_DIR=$LEAKS_DIR/system "$ROOT/dev" "$@" {LONE}>&-; }

leaks_end() {
  trap - EXIT
  leaks_dev down --purge >/dev/null 2>&1 || true
  release_ports
}

# leaks_run MESSAGES BIN: a quarter each goes to online devices directly, through a group, and to one that was away.
leaks_run() {
  local messages=$1 everybody load=$BUILD/release/bench/load/chat-load group began=$SECONDS log=$LEAKS_DIR/run.log
  everybody="$(numbered s 4 ' ') $(numbered r 4 ' ') $(numbered m 4 ' ') late"
  leaks_dev down --purge >/dev/null 2>&1 || true # of a run that was killed
  rm -f "$LEAKS_DIR/valgrind.log"
  : >"$log"
  CHAT_BIN_DIR=$2 CHAT_USERS=$everybody CHAT_BROKER_WRAPPER="valgrind --leak-check=full --show-leak-kinds=definite,indirect,possible
    --keep-debuginfo=yes --num-callers=60 --log-file=$LEAKS_DIR/valgrind.log" leaks_dev up >"$log" 2>&1 ||
    { show_tail "$log"; fail "the system did not start under valgrind"; }
  (
    # shellcheck disable=SC1091
    set -a && . "$LEAKS_DIR/system/env" && set +a
    # shellcheck disable=SC2086
    "$CHAT_CTL" user add --if-missing $everybody >>"$log"
    group=$("$CHAT_CTL" --json conversation create --owner m1 --member m2 --member m3 --member m4 --member late | jq -r '.name // .conversation.name // .conversation')
    with=(--port "$CHAT_PORT" --password demo --ack-topic chat/ack)
    "$load" flow "${with[@]}" --tag direct --count $((messages / 2)) --senders "$(numbered s 4 ,)" --topics "$(numbered chat/d/r 4 , /msg)" \
      --receivers "$(numbered r 4 ,)" --filters "$(numbered chat/u/r 4 , /inbox)"
    "$load" flow "${with[@]}" --tag group --count $((messages / 2)) --senders m1,m2 --topics "chat/c/$group/msg" --copies 4 --ahead 100 \
      --receivers "$(numbered m 4 ,)" --filters "$(numbered chat/u/m 4 , /inbox)"
    "$load" catch-up "${with[@]}" --user late --device late-phone --filter chat/u/late/inbox --messages $((messages / 2 / 2 * 2))
  ) >>"$log" 2>&1 || { show_tail "$log" 20; fail "the messages did not go through"; }
  leaks_dev stop broker >>"$log" 2>&1 || { show_tail "$log"; fail "the broker did not stop cleanly"; }
  leaks_dev down --purge >>"$log" 2>&1
  say "    $messages messages in $((SECONDS - began)) s, start and stop included"
}

# leaks_verdict LOG: prints what is ours, and fails where there is any, or where the log is not that of a whole run.
leaks_verdict() {
  awk -v ours="$LEAKS_FRAME" '
    function judge() {
      if (paragraph ~ /^[^\n]*(definitely|indirectly|possibly) lost in loss record/) leak = 1
      else if (paragraph ~ /^(Invalid|Conditional jump|Use of uninit|Syscall param|Mismatched|Source and dest|Argument)/) leak = 0
      else { paragraph = ""; return }
      if (paragraph ~ ours) { print paragraph; found++ } else others++
      paragraph = ""
    }
    { sub(/^==[0-9]+== ?/, "") }
    /^ *$/ { judge(); next }
    { paragraph = paragraph $0 "\n" }
    /LEAK SUMMARY:|All heap blocks were freed/ { whole = 1 }
    END {
      judge()
      if (!whole) { print "valgrind was not there at the end: no summary in its log"; exit 1 }
      printf "%d findings with a frame of ours, %d without (the broker'\''s own, and its libraries'\'')\n", found, others
      exit (found > 0)
    }' "$1"
}

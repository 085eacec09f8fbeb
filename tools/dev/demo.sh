# shellcheck shell=bash
# demo: a short conversation played with stock clients, in which bob is away and comes back. It checks all that it shows.

cmd_demo() {
  [ $# = 0 ] || fail "./dev demo takes no arguments"
  unset CHAT_BARE
  cmd_deps --run-only
  if [ -z "${CHAT_BIN_DIR:-}" ]; then
    build_targets release "${DEMO_TARGETS[@]}"
  fi
  "$ROOT/dev" up
  running_folder
  release_lock
  local service
  for service in broker bridge; do
    # What is shown is what was just built.
    if [[ $(still_up "$service") == *"older build"* ]]; then "$ROOT/dev" restart "$service"; fi
  done
  [ -z "$BARE" ] || fail "the broker in $RUN runs without the plugin" "./dev down, then ./dev demo"
  SCENE=$(mktemp -d "$RUN/demo.XXXXXX")
  LISTENERS=()
  TAKE=$(od -An -tx4 -N4 /dev/urandom | tr -d ' ') # makes the ids of this showing its own
  trap 'end_demo; release_ports' EXIT
  play
  next_lines
}

end_demo() {
  [ ${#LISTENERS[@]} = 0 ] || kill "${LISTENERS[@]}" 2>/dev/null || true
  rm -rf "$SCENE"
}

play() {
  say
  act "alice makes a group with bob and carol (chatctl, the admin tool)"
  local uri name
  uri=$(pg_uri chat_admin)
  name=$(CHAT_PG=$uri "$CTL" --json conversation create --owner alice --member bob --member carol --title "Garden party") ||
    wrong "chatctl could not create the group"
  GROUP=$(jq -r '.name // .conversation.name // .conversation // empty' <<<"$name")
  case $GROUP in g:*) arrow alice "made" "$GROUP" ;; *) wrong "chatctl printed no group's name: $name" ;; esac
  listen alice alice-laptop

  act "bob looks in, on a phone called bob-phone; carol greets; bob takes note and goes away"
  listen bob bob-phone
  take_note bob # what he had not read since an earlier demo
  write carol "c/$GROUP" greeting "Who brings the cake?"
  await_scene bob "$(in_inbox greeting)" "carol's greeting with bob"
  show bob inbox "$(mine)"
  acknowledge bob

  act "While bob is away, alice and carol write to the group, and alice to bob alone"
  write alice "c/$GROUP" one "I do. Lemon or chocolate?"
  write carol "c/$GROUP" two "Both!"
  write alice "d/bob" three "Bob, are you coming at all?"
  write alice "c/$GROUP" four "Three o'clock, then."
  await_scene alice '[.[] | select(.topic == "ack") | .json.acks[] | select(.id == ("one", "three", "four" | "'"$TAKE"'-" + .)) | .status] == ["sent", "sent", "sent"]' \
    "PostgreSQL's \"sent\" for alice's three messages"
  show alice ack '.id? // "" | true'

  act "Bob comes back: he gets what he missed, in order, between sync begin and end"
  listen bob bob-phone
  show bob sync '.state == "begin"'
  show bob inbox "$(mine)"
  show bob sync '.state == "end"'
  scene bob | jq -e --arg take "$TAKE" '
      [.[] | select(.topic == "sync" or .topic == "inbox")] as $all
    | ($all[0].json.state == "begin") and ($all[-1].json.state == "end") and ($all[0].json.messages == ($all | length - 2))' >/dev/null ||
    wrong "what bob missed did not come between sync begin and end, as many as announced"
  scene_check bob '[.[] | select(.topic == "inbox").json | select(.conv == "'"$GROUP"'")] | map([.seq, .from, .body]) == [[2, "alice", "I do. Lemon or chocolate?"], [3, "carol", "Both!"], [4, "alice", "Three o'"'"'clock, then."]]' \
    "bob's three messages of the group are not those that were sent, numbered 2, 3, 4"
  scene_check bob '[.[] | select(.topic == "inbox").json | select(.conv == "dm:alice:bob" and (.id | startswith("'"$TAKE"'")))] | length == 1' \
    "alice's direct message did not come exactly once"

  act "Bob acknowledges, leaves, and comes again: nothing comes twice"
  acknowledge bob
  listen bob bob-phone
  show bob sync true
  scene_check bob '[.[] | select(.topic == "inbox")] == []' "something that bob had acknowledged came again"
  scene_check bob '[.[] | select(.topic == "sync").json.messages // empty] == [0]' "bob's catch-up announced messages, and none was missed"
  leave bob

  act "Alice claims to be carol: the message is refused, and she is told why"
  write_raw alice "c/$GROUP" '{"id":"'"$TAKE"'-forged","from":"carol","body":"I take no cake"}'
  await_scene alice '[.[] | select(.topic == "error").json | select(.id == "'"$TAKE"'-forged").code] == ["reserved_field"]' "the refusal of the forged sender"
  show alice error '.id == "'"$TAKE"'-forged"'
  scene_check alice '[.[] | select(.topic == "inbox").json | select(.id == "'"$TAKE"'-forged")] == []' "the forged message was delivered"

  act "Bob is away again, and alice takes back what she wrote: he gets a tombstone, and never the text"
  write alice "c/$GROUP" five "The surprise for bob is in the cellar."
  arrow alice "writes" "$PREFIX/c/$GROUP/recall {\"seq\":5}"
  post alice alice-writes "c/$GROUP/recall" '{"seq":5}'
  await_scene alice 'any(.[]; .topic == "event" and .json.kind == "message.recalled" and .json.seq == 5)' "the word of alice's recall"
  show alice event '.kind == "message.recalled"'
  leave alice
  listen bob bob-phone
  show bob inbox '.seq == 5'
  scene_check bob '[.[] | select(.topic == "inbox").json | select(.seq == 5)] | map([.recalled, has("body")]) == [[true, false]]' \
    "bob did not get one tombstone in place of what alice took back"
  leave bob

  act "Alice writes to bob alone, who is there: his unread total rises and falls, and she gets his receipt"
  listen alice alice-laptop
  listen bob bob-phone
  await_scene bob 'any(.[]; .topic == "unread/total")' "bob's unread total"
  write alice "d/bob" six "See you, bob."
  await_scene bob '([.[] | select(.topic == "inbox").json | select(.id == "'"$TAKE"'-six")] | length == 1) and ([.[] | select(.topic == "unread/total").json][-1] > 0)' \
    "alice's message, and a total above 0, with bob"
  arrow bob unread "$(scene bob | jq -c '[.[] | select(.topic == "unread/total").json] | join(", then ")')"
  local seq
  seq=$(scene bob | jq '[.[] | select(.topic == "inbox").json | select(.id == "'"$TAKE"'-six").seq][0]')
  arrow bob "reads" "$PREFIX/c/dm:alice:bob/read {\"seq\":$seq}"
  post bob bob-reads "c/dm:alice:bob/read" "{\"seq\":$seq}"
  await_scene alice 'any(.[]; .topic == "receipt" and .json.user == "bob" and .json.read == '"$seq"')' "bob's receipt with alice"
  show alice receipt '.read == '"$seq"
  await_scene bob '[.[] | select(.topic == "unread").json.conversations[] | select(.conv == "dm:alice:bob").unread][-1] == 0' \
    "bob's unread count without alice's message"
  leave alice
  leave bob

  act "Bob asks what he has not read, and for the group's history"
  ask bob bob-phone unread.get '{"id":"'"$TAKE"'-unread","conv":"'"$GROUP"'"}' '.unread == 0'
  ask bob bob-phone history '{"id":"'"$TAKE"'-history","conv":"'"$GROUP"'","limit":2}' '.messages | map([.seq, .body]) == [[5, null], [4, "Three o'"'"'clock, then."]]'
  say
  say "${GREEN}All of this was checked: order, numbers, senders, nothing lost, nothing twice.${PLAIN}"
}

act() {
  ACT=$((${ACT:-0} + 1))
  printf '%s%d. %s%s\n' "$BOLD" "$ACT" "$*" "$PLAIN"
}

arrow() { printf '   %-6s %s%-6s%s %s\n' "$1" "$DIM" "$2" "$PLAIN" "$3"; }

wrong() {
  printf '%serror:%s the demo went wrong at step %s: %s\n' "$RED" "$PLAIN" "$ACT" "$1" >&2
  local file
  for file in "$SCENE"/*.heard; do
    [ -e "$file" ] || continue
    printf '       %s heard last:\n' "$(basename "${file%.heard}")" >&2
    tail -n 6 "$file" | sed 's/^/       | /' >&2
  done
  show_tail "$RUN/broker.log"
  printf '       ./dev logs broker and ./dev logs postgres tell more; the system is still up.\n' >&2
  exit 1
}

# What somebody has heard, as a JSON array of {topic, json}, the topic without its chat/u/NAME/ before it.
scene() {
  sed -n "s|^$PREFIX/u/$1/\([^ ]*\) \(.*\)\$|{\"topic\":\"\1\",\"json\":\2}|p" "$SCENE/$1.heard" | jq -cs . 2>/dev/null || printf '[]'
}

scene_check() { # WHO CONDITION WHAT_IS_WRONG
  [ "$(scene "$1" | jq "$2")" = true ] || wrong "$3"
}

await_scene() { # WHO CONDITION WHAT
  local began=$SECONDS
  until [ "$(scene "$1" | jq "$2" 2>/dev/null)" = true ]; do
    [ $((SECONDS - began)) -lt 20 ] || wrong "$3 did not come within 20 s"
    nap 0.05
  done
}

mine() { printf '.id? // "" | startswith("%s")' "$TAKE"; }
in_inbox() { printf '[.[] | select(.topic == "inbox").json | select(.id == "%s-%s")] | length == 1' "$TAKE" "$1"; }

# What came, told in a few words, and below it as it came.
show() { # WHO TOPIC CONDITION
  local line words
  while IFS= read -r line; do
    words=$(jq -r 'if .body then "#\(.seq) from \(.from): \(.body)"
      elif .acks then (.acks | map("#\(.seq) of \(.conv) is \(.status)") | join(", "))
      elif .state then .state + (if .messages then ": \(.messages) messages of \(.conversations) conversations" else "" end)
      elif .code then "refused: \(.reason)"
      elif .conv and .delivered then "\(.user) has read up to #\(.read) of \(.conv)"
      elif .recalled then "#\(.seq) was taken back by \(.by)"
      elif .kind == "message.recalled" then "\(.by) takes back #\(.seq)" else "" end' <<<"$line")
    arrow "$1" "$2" "$words"
    printf '                 %s%s%s\n' "$DIM" "$line" "$PLAIN"
  done < <(scene "$1" | jq -c ".[] | select(.topic == \"$2\").json | select($3)")
}

# A device comes online: a stock client that subscribes to everything of its user, until sync end has come.
listen() { # WHO DEVICE
  mosquitto_sub -h 127.0.0.1 -p "$PORT" -i "$2" -u "$1" -P demo -q 1 -v -t "$PREFIX/u/$1/#" >"$SCENE/$1.heard" 2>"$SCENE/$1.said" &
  LISTENERS+=($!)
  printf -v "LISTENER_$1" %s $!
  printf -v "DEVICE_$1" %s "$2"
  await_scene "$1" 'any(.[]; .topic == "sync" and .json.state == "end")' "the end of $1's catch-up"
}

leave() {
  local listener=LISTENER_$1
  kill "${!listener}" 2>/dev/null || true
  wait "${!listener}" 2>/dev/null || true
}

# Everything heard is acknowledged, as the device that heard it: one publish on chat/ack. Then the device is away.
take_note() {
  local payload
  payload=$(scene "$1" | jq -c '
    [.[] | select((.topic == "inbox" or .topic == "event") and .json.conv).json] | group_by(.conv)
    | map({key: .[0].conv, value: ({seq: (map(.seq // empty) | max), rev: (map(.rev // empty) | max)} | with_entries(select(.value)))})
    | from_entries | {delivered: ., read: (map_values(.seq) | with_entries(select(.value)))}')
  [ "$payload" != '{"delivered":{},"read":{}}' ] || return 0
  local device=DEVICE_$1
  leave "$1"
  post "$1" "${!device}" ack "$payload"
  [ "${2:-}" != shown ] || arrow "$1" "ack" "$payload"
  [ "${2:-}" = shown ] || listen "$1" "${!device}"
}

acknowledge() { take_note "$1" shown; }

write() { # WHO WHERE ID TEXT
  local payload
  payload=$(jq -cn --arg id "$TAKE-$3" --arg body "$4" '{id: $id, body: $body}')
  write_raw "$1" "$2" "$payload"
}

write_raw() {
  arrow "$1" "writes" "$PREFIX/$2/msg $3"
  post "$1" "$1-writes" "$2/msg" "$3"
}

post() { # WHO DEVICE TOPIC PAYLOAD
  timeout 20 mosquitto_pub -h 127.0.0.1 -p "$PORT" -i "$2" -u "$1" -P demo -q 1 -t "$PREFIX/$3" -m "$4" ||
    wrong "$1 could not publish on $PREFIX/$3"
}

# A request, and its answer, which must be as the condition says.
ask() { # WHO DEVICE OPERATION PAYLOAD CONDITION
  local answer
  arrow "$1" "asks" "$PREFIX/rpc/$3 $4"
  answer=$(timeout 20 mosquitto_rr -h 127.0.0.1 -p "$PORT" -i "$2" -u "$1" -P demo -q 1 -t "$PREFIX/rpc/$3" \
    -e "$PREFIX/u/$1/reply/$2" -m "$4") || wrong "$1 got no answer to $3"
  printf '                 %s%s%s\n' "$DIM" "$answer" "$PLAIN"
  [ "$(jq "$5" <<<"$answer")" = true ] || wrong "the answer to $3 is not what was expected"
}

next_lines() {
  cat <<END

The system stays up (broker 127.0.0.1:$PORT, WebSocket $WS_PORT). Users alice, bob, carol, dave; password demo. Type next:

  mosquitto_sub -p $PORT -i bob-phone -u bob -P demo -q 1 -v -t '$PREFIX/u/bob/#'

and in another terminal, or before it:

  mosquitto_pub -p $PORT -u alice -P demo -q 1 -t $PREFIX/d/bob/msg -m '{"body":"hello bob"}'
  mosquitto_pub -p $PORT -u carol -P demo -q 1 -t $PREFIX/c/$GROUP/msg -m '{"body":"hello all"}'

  ./dev status, ./dev logs broker, ./dev ctl conversation list alice, ./dev down
END
}

# shellcheck shell=bash disable=SC2154
# The running system: up, down, start, stop, kill. With a bare broker, since the plugin makes no difference to these.

test_UpTwiceStartsNothingTwice() {
  dev up
  local before
  before=$(cat "$HERE"/*.pid)
  expect "up already" in "$(dev up)"
  [ "$(cat "$HERE"/*.pid)" = "$before" ] || wrong "processes changed: $before, now $(cat "$HERE"/*.pid)"
}

test_UpSaysWhereEverythingIs() {
  CHAT_USERS="erin frank:secret" dev up
  local port
  port=$(variable CHAT_PORT)
  mosquitto_pub -p "$port" -u erin -P demo -t x -m x
  mosquitto_pub -p "$port" -u frank -P secret -t x -m x
  refused mosquitto_pub -p "$port" -u frank -P demo -t x -m x
  [ "$(psql -XAt "$(variable CHAT_PG)" -c "SELECT 'here'")" = here ] || wrong "CHAT_PG"
  [ "$(redis-cli -u "$(variable CHAT_REDIS)" ping)" = PONG ] || wrong "CHAT_REDIS"
  kill -0 "$(variable CHAT_BROKER_PID)" "$(variable CHAT_POSTGRES_PID)" "$(variable CHAT_REDIS_PID)"
  [ "$(variable CHAT_RUN_DIR)" = "$HERE" ] || wrong "CHAT_RUN_DIR is $(variable CHAT_RUN_DIR)"
}

test_EverythingListensOnLoopbackOnly() {
  dev up
  local name hex lines
  for name in PORT WS_PORT PG_PORT REDIS_PORT; do
    printf -v hex '%04X' "$(sed -n "s/^$name=//p" "$HERE/settings")"
    lines=$(awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $2 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
    [ "$lines" = "0100007F:$hex" ] || wrong "$name listens on: $lines"
  done
}

test_TwoSystemsRunSideBySide() {
  CHAT_RUN_DIR=$HERE/a dev up &
  CHAT_RUN_DIR=$HERE/b dev up
  wait $!
  local a b
  a=$(variable CHAT_PORT "$HERE/a") b=$(variable CHAT_PORT "$HERE/b")
  [ "$a" != "$b" ] || wrong "both took port $a"
  CHAT_RUN_DIR=$HERE/a dev down
  mosquitto_pub -p "$b" -u alice -P demo -t x -m x
  refused mosquitto_pub -p "$a" -u alice -P demo -t x -m x
}

test_TakenPortIsRefusedByItsName() {
  dev up
  local port
  port=$(variable CHAT_PORT)
  refused env CHAT_RUN_DIR="$HERE/a" CHAT_PORT="$port" "$ROOT/dev" up
  expect "CHAT_PORT=$port is taken" in "$SAID"
  refused env CHAT_PORT=$((port + 1)) "$ROOT/dev" up
  expect "is up on port $port already" in "$SAID"
  refused env CHAT_RUN_DIR="$HERE/a" CHAT_PORT=99999 "$ROOT/dev" up
  expect "CHAT_PORT=99999 is not a port" in "$SAID"
}

test_NoPortIsForTwoServices() {
  local free=20000
  while grep -qsE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$free") " /proc/net/tcp /proc/net/tcp6; do free=$((free + 1)); done
  refused env CHAT_PG_PORT="$free" CHAT_REDIS_PORT="$free" "$ROOT/dev" up
  expect "CHAT_REDIS_PORT=$free is taken" in "$SAID"
}

test_PortsOutliveADown() {
  dev up
  local port
  port=$(variable CHAT_PORT)
  dev down
  dev up
  [ "$(variable CHAT_PORT)" = "$port" ] || wrong "was $port, is $(variable CHAT_PORT)"
}

test_KilledBrokerStartsAgainAtOnce() {
  dev up
  local round old
  for round in 1 2 3; do
    old=$(variable CHAT_BROKER_PID)
    dev kill broker
    [ -z "$(variable CHAT_BROKER_PID)" ] || wrong "round $round: the env file still names a broker"
    refused dev kill broker
    dev start broker
    [ "$(variable CHAT_BROKER_PID)" != "$old" ] || wrong "round $round: the env file names the old broker"
    mosquitto_pub -p "$(variable CHAT_PORT)" -u alice -P demo -t x -m x
  done
}

test_StoppedBrokerEndsInOrder() {
  dev up
  dev stop broker
  expect "is down already" in "$(dev stop broker)"
  expect "terminating" in "$(tail -n 3 "$HERE/broker.log")"
}

test_KilledPostgresKeepsWhatItCommitted() {
  dev up
  local uri round
  uri=$(variable CHAT_PG)
  psql -Xq "$uri" -c "CREATE TABLE kept (n int)"
  for round in 1 2 3; do
    psql -Xq "$uri" -c "INSERT INTO kept VALUES ($round)"
    dev kill postgres
    dev start postgres
  done
  [ "$(psql -XAt "$uri" -c "SELECT count(*) FROM kept")" = 3 ] || wrong "rows were lost"
}

test_FrozenPostgresAnswersNobodyUntilWoken() {
  dev up
  local uri answer
  uri=$(variable CHAT_PG)
  dev kill -STOP postgres
  expect "frozen" in "$(dev status)"
  psql -XAt "$uri" -c "SELECT 'awake'" >"$HERE/answer" &
  CHILDREN+=($!)
  local states
  # A process that ends while it is listed is no failure.
  states=$({ cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v head="$(variable CHAT_POSTGRES_PID)" '
    { pid = $1; sub(/^.*\) /, ""); if (pid == head || $2 == head) print $1 }' | sort -u)
  [ "$states" = T ] || wrong "processes of PostgreSQL are in states $states"
  [ ! -s "$HERE/answer" ] || wrong "a frozen PostgreSQL answered"
  dev kill -CONT postgres
  wait "${CHILDREN[-1]}"
  answer=$(<"$HERE/answer")
  rm "$HERE/answer"
  [ "$answer" = awake ] || wrong "answered: $answer"
}

test_FrozenServicesGoDownToo() {
  dev up
  dev kill -STOP postgres
  dev kill -STOP broker
  dev down
  expect "postgres  down" in "$(dev status)"
}

test_DownLeavesAlonePidsThatOthersGot() {
  dev up
  dev kill broker
  sleep 1000 &
  CHILDREN+=($!)
  printf '%s %s\n' $! "12345-of-another-boot" >"$HERE/broker.pid"
  expect "broker    down" in "$(dev status)"
  dev down
  kill -0 "${CHILDREN[-1]}" || wrong "./dev ended a process that it had not started"
}

test_PurgeLeavesWhatIsNotOurs() {
  dev up
  : >"$HERE/notes.txt"
  dev down --purge
  [ "$(ls -A "$HERE")" = notes.txt ] || wrong "left: $(ls -A "$HERE")"
  dev down --purge
  [ -e "$HERE/notes.txt" ] || wrong "the second purge took it"
}

test_ConfigurationOutlivesAKill() {
  printf 'max_keepalive 1234\n' >"$HERE/extra"
  CHAT_BROKER_CONF=$HERE/extra dev up
  rm "$HERE/extra"
  dev kill broker
  dev start broker
  expect "max_keepalive 1234" in "$(cat "$HERE/conf/mosquitto.conf")"
  dev down
  dev up
  if grep -q max_keepalive "$HERE/conf/mosquitto.conf"; then wrong "a new up still has the lines of the one before"; fi
}

test_BrokerThatWillNotStartSaysWhy() {
  printf 'no_such_option yes\n' >"$HERE/extra"
  refused env CHAT_BROKER_CONF="$HERE/extra" "$ROOT/dev" up
  expect "broker ended while starting" in "$SAID"
  expect "no_such_option" in "$SAID"
  rm "$HERE/extra"
  dev up
}

test_FoldersMayHaveBlanksInTheirNames() {
  mkdir -p "$HERE/a/with blanks"
  export CHAT_RUN_DIR="$HERE/a/with blanks"
  dev up
  mosquitto_pub -p "$(variable CHAT_PORT "$CHAT_RUN_DIR")" -u alice -P demo -t x -m x
  dev kill postgres
  dev start postgres
  dev down --purge
}

test_TheFolderOfTheProgramsMayBeGivenFromWhereOneStands() {
  (cd "$(dirname "$BUILD_FOLDER")" && CHAT_BIN_DIR=$(basename "$BUILD_FOLDER") dev up)
  [ "$(variable CHAT_BIN_DIR)" = "$BUILD_FOLDER" ] || wrong "it is remembered as $(variable CHAT_BIN_DIR)"
}

test_UnknownWordsAreRefused() {
  refused dev nonsense
  expect 'no command "nonsense"' in "$SAID"
  refused dev kill nobody
  expect 'no service "nobody"' in "$SAID"
  refused dev build nothing
  expect 'no preset "nothing"' in "$SAID"
  refused dev build release twice
  expect 'no "twice"' in "$SAID"
  refused dev start broker
  expect "./dev up" in "$SAID"
  dev up
  refused dev kill -NONSENSE broker
  expect 'no signal "NONSENSE"' in "$SAID"
}

# shellcheck shell=bash disable=SC2154,SC2153
# What SECURITY.md says of files, secrets and the bridge's unit, tried on the running system.

ROOM=$(mktemp -d) # outside of the tree, where another user can read too; run.sh removes it

# Everything of the system calls that the unit's filter lets through, by name.
allowed_calls() {
  local line names=() out=()
  while read -r line; do names+=("$line"); done < <(sed -n 's/^SystemCallFilter=//p' "$ROOT/conf/mosquitto-chat-bridge.service" | tr ' ' '\n')
  local name mode=allow
  for name in "${names[@]}"; do
    case $name in "~"*) mode=deny name=${name#\~} ;; esac
    out+=("$mode $name")
  done
  printf '%s\n' "${out[@]}" | while read -r mode name; do expand_calls "$name" | sed "s/^/$mode /"; done |
    awk '$1 == "allow" { yes[$2] } $1 == "deny" { no[$2] } END { for (c in yes) if (!(c in no)) print c }' | sort
}
expand_calls() {
  local name
  systemd-analyze syscall-filter "$1" | sed -n '2,$s/^ *\([-@a-z_0-9]*\)$/\1/p' | while read -r name; do
    case $name in @*) expand_calls "$name" ;; ?*) printf '%s\n' "$name" ;; esac
  done
}

test_BridgeUnitIsHardened() {
  local unit=$ROOT/conf/mosquitto-chat-bridge.service line
  for line in DynamicUser=yes NoNewPrivileges=yes CapabilityBoundingSet= AmbientCapabilities= ProtectSystem=strict ProtectHome=yes \
    PrivateTmp=yes PrivateDevices=yes ProtectProc=invisible MemoryDenyWriteExecute=yes RestrictNamespaces=yes LimitCORE=0 \
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX" SystemCallFilter=@system-service Restart=on-failure; do
    grep -qxF "$line" "$unit" || wrong "$line is not in the unit"
  done
  if grep -q '^ReadWritePaths=\|^User=root\|^Environment=' "$unit"; then wrong "the unit may write, is root, or holds what everybody can read"; fi
  command -v systemd-analyze >/dev/null || return 0
  sed "s|/usr/bin/mosquitto-chat-bridge|$BUILD_FOLDER/bridge/mosquitto-chat-bridge|" "$unit" >"$ROOM/mosquitto-chat-bridge.service"
  systemd-analyze verify "$ROOM/mosquitto-chat-bridge.service"
  # In tenths: 0 is nothing to gain, 100 all.
  systemd-analyze security --offline=true --threshold=15 "$ROOM/mosquitto-chat-bridge.service" >"$ROOM/said" || wrong "exposed: $(tail -n 1 "$ROOM/said")"
  sed -i '/^MemoryDenyWriteExecute\|^SystemCallFilter\|^PrivateUsers/d' "$ROOM/mosquitto-chat-bridge.service"
  if systemd-analyze security --offline=true --threshold=15 "$ROOM/mosquitto-chat-bridge.service" >/dev/null; then wrong "the threshold lets everything pass"; fi
}

# As the unit runs it, as far as that goes without systemd: nobody's user without capabilities, no file system that it could write,
# copies of its secrets in a folder of their own, and no system call that the filter forbids (strace answers those with EPERM).
test_BridgeWorksWithinItsUnit() {
  unset CHAT_BARE
  [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null && command -v strace systemd-analyze >/dev/null || exit 77
  dev up
  dev stop bridge
  local forbidden
  forbidden=$(comm -13 <(allowed_calls) <(expand_calls @known | sort -u) | sed 's/^/?/' | tr '\n' ',')
  case ,$forbidden in *,?read,*) wrong "the filter forbids reading: $forbidden" ;; esac
  expect ",?mount," in ",$forbidden"
  expect ",?setuid," in ",$forbidden"
  chmod 755 "$ROOM"
  mkdir "$ROOM/secret"
  cp "$BUILD_FOLDER/bridge/mosquitto-chat-bridge" "$ROOM/bridge"
  cp "$HERE/secret/bridge-password" "$HERE/secret/bridge-postgres-uri" "$ROOM/secret"
  sed -e "s|mqtt://127.0.0.1:1883|mqtt://127.0.0.1:$(variable CHAT_PORT)|" -e "s|redis://127.0.0.1:6379|$(variable CHAT_REDIS)|" \
    "$ROOT/conf/bridge.toml" >"$ROOM/secret/bridge.toml"
  chown -R nobody "$ROOM/secret"
  chmod 500 "$ROOM/secret"
  # shellcheck disable=SC2016
  unshare -m bash -c 'mount -o remount,bind,ro / && mount --bind -o ro "$1" "$1" && shift && exec "$@"' cage "$ROOM" \
    setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
    strace -f -qq -e "trace=${forbidden%,}" -e "inject=${forbidden%,}:error=EPERM" -e signal=none \
    "$ROOM/bridge" --config "$ROOM/secret/bridge.toml" --password-file "$ROOM/secret/bridge-password" \
    --postgres-file "$ROOM/secret/bridge-postgres-uri" >"$HERE/caged.log" 2>&1 &
  CHILDREN+=($!)
  eventually "the caged bridge listens, see caged.log" grep -q "listening on" "$HERE/caged.log"
  local answer
  answer=$(mosquitto_rr -p "$(variable CHAT_PORT)" -i alice-laptop -u alice -P demo -q 1 -t chat/rpc/conversation.create \
    -e chat/u/alice/reply/alice-laptop -m '{"id":"r-1","user":"bob"}' -W 20)
  expect '"ok":true' in "$answer"
  kill "${CHILDREN[-1]}"
  wait "${CHILDREN[-1]}" || true
  if grep "INJECTED" "$HERE/caged.log"; then wrong "the bridge makes calls that its unit forbids"; fi
}

# What is written holds messages, names or passwords: it is its owner's alone, whatever the umask.
test_FilesAreTheirOwnersAloneWhateverTheUmask() {
  unset CHAT_BARE
  umask 000
  CHAT_RUN_DIR=$HERE/a CHAT_USERS="erin:canary-user" CHAT_BROKER_CONF=/dev/null dev up
  local run=$HERE/a port
  port=$(variable CHAT_PORT "$run")
  mosquitto_pub -p "$port" -u alice -P demo -q 1 -t chat/d/bob/msg -m '{"body":"canary-message"}'
  CHAT_RUN_DIR=$run dev kill broker
  CHAT_RUN_DIR=$run dev start broker
  CHAT_RUN_DIR=$run dev restart bridge
  grep -rlF canary-message "$run/journal" >/dev/null || wrong "the journal holds no message: nothing was tried"
  grep -qF canary-user "$run/settings" || wrong "the settings hold no password: nothing was tried"
  # PostgreSQL's folder may be walked through, and its log of statements is its own; all else is ours.
  local open
  open=$(find "$run" -path "$run/postgres" -prune -o ! -type l -perm /077 ! -path "$run" -printf '%M %P\n')
  [ -z "$open" ] || wrong "others may look into: $open"
  open=$(find "$run/postgres/data" ! -type l -perm /077 -printf '%M %P\n')
  [ -z "$open" ] || wrong "others may look into PostgreSQL's: $open"
  [ "$(stat -c %a "$run" "$run/postgres" | sort -u)" = 711 ] || wrong "the folder: $(stat -c '%A %n' "$run" "$run/postgres")"
}

# Everything that any of our programs says, and every command line that can be seen, while they have the right secrets, wrong ones,
# servers that are not there, and addresses that can't be read.
test_SecretsAreSaidNowhere() {
  unset CHAT_BARE
  printf 'log_type all\n' >"$ROOM/broker.conf"
  (while :; do { cat /proc/[0-9]*/cmdline 2>/dev/null || true; } | tr '\0' '\n'; sleep 0.02; done >"$ROOM/seen") &
  local watcher=$!
  CHILDREN+=("$watcher")
  CHAT_USERS="erin:hushhush-user" CHAT_BROKER_CONF=$ROOM/broker.conf dev up
  mosquitto_pub -p "$(variable CHAT_PORT)" -u alice -P demo -q 1 -t chat/d/bob/msg -m '{"body":"x"}'
  dev psql -c "SELECT pg_sleep(0.5)" >/dev/null
  dev ctl status >/dev/null
  dev stop bridge
  with_right_and_wrong_secrets
  dev stop broker
  plugin_with_wrong_addresses
  kill "$watcher"

  local secrets=(hushhush) file found
  for file in "$HERE"/secret/{bridge,chat_plugin,chat_bridge,chat_admin}-password; do secrets+=("$(head -n 1 "$file")"); done
  # All systems of this tree have this one in common, and other tests may show theirs: it counts beside this one's port.
  secrets+=("$(head -n 1 "$HERE/secret/postgres-password")@127.0.0.1:$(sed -n 's/^PG_PORT=//p' "$HERE/settings")")
  grep -q "/secret/bridge-postgres-uri" "$ROOM/seen" || wrong "no command line of the bridge was seen"
  grep -qF "SELECT pg_sleep(0.5)" "$ROOM/seen" || wrong "no command line of psql was seen"
  for file in "${secrets[@]}"; do
    if found=$(grep -lF -e "$file" "$HERE"/*.log "$ROOM/seen" "$ROOM"/said.*); then
      wrong "the secret $file stands in $found: $(grep -hF -e "$file" "$ROOM/seen" "$HERE"/*.log "$ROOM"/said.* | cut -c1-300 | head -n 3)"
    fi
  done
}

BRIDGE_RUNS=0
# bridge_says PATTERN: starts it with $BRIDGE_SECRETS until it says so, or has ended.
bridge_says() {
  local log=$ROOM/said.bridge.$((++BRIDGE_RUNS)) pid
  "$BUILD_FOLDER/bridge/mosquitto-chat-bridge" --log-level debug "${BRIDGE_SECRETS[@]}" >"$log" 2>&1 &
  pid=$!
  CHILDREN+=("$pid")
  eventually "the bridge says \"$1\": $log" grep -qi -e "$1" "$log"
  kill "$pid" 2>/dev/null || true
  wait "$pid" || true
}

with_right_and_wrong_secrets() {
  local port pg redis uri n=0
  port=$(variable CHAT_PORT) pg=$(sed -n 's/^PG_PORT=//p' "$HERE/settings") redis=$(sed -n 's/^REDIS_PORT=//p' "$HERE/settings")
  printf 'CONFIG SET requirepass hushhush-redis\n' | redis-cli -p "$redis" >/dev/null
  printf 'hushhush-mqtt\n' >"$ROOM/mqtt"
  printf 'redis://:hushhush-redis@127.0.0.1:%s\n' "$redis" >"$ROOM/redis"
  printf 'redis://:hushhush-wrong@127.0.0.1:%s\n' "$redis" >"$ROOM/redis-wrong"
  printf 'postgresql://chat_bridge:hushhush-wrong@127.0.0.1:%s/chat\n' "$pg" >"$ROOM/pg-wrong"
  printf 'postgresql://chat_bridge:hushhush-away@127.0.0.1:1/chat\n' >"$ROOM/pg-away"
  local mqtt=(--broker "mqtt://127.0.0.1:$port" --password-file "$HERE/secret/bridge-password") right="$HERE/secret/bridge-postgres-uri"
  BRIDGE_SECRETS=("${mqtt[@]}" --postgres-file "$right" --redis-file "$ROOM/redis") && bridge_says "listening on"
  BRIDGE_SECRETS=("${mqtt[@]}" --postgres-file "$right" --redis-file "$ROOM/redis-wrong") && bridge_says "WRONGPASS\|Redis"
  BRIDGE_SECRETS=("${mqtt[@]}" --postgres-file "$ROOM/pg-wrong") && bridge_says "password authentication failed"
  BRIDGE_SECRETS=("${mqtt[@]}" --postgres-file "$ROOM/pg-away") && bridge_says "connection refused\|could not connect"
  BRIDGE_SECRETS=(--broker "mqtt://127.0.0.1:$port" --password-file "$ROOM/mqtt" --postgres-file "$right") && bridge_says "not authori\|refused"
  BRIDGE_SECRETS=(--broker "mqtt://127.0.0.1:1" --password-file "$ROOM/mqtt" --postgres-file "$right") && bridge_says "can't\|connect"
  for uri in "${UNREADABLE[@]}"; do
    printf '%s\n' "$uri" >"$ROOM/uri"
    BRIDGE_SECRETS=("${mqtt[@]}" --postgres-file "$ROOM/uri") && bridge_says "can't be read"
    printf 'postgres = "%s"\n' "$uri" >"$ROOM/bridge.toml"
    BRIDGE_SECRETS=("${mqtt[@]}" --config "$ROOM/bridge.toml") && bridge_says "can't be read"
    CHAT_PG=$uri refused "$BUILD_FOLDER/chatctl/chatctl" status
    expect "can't be read" in "$SAID"
    n=$((n + 1))
    printf '%s\n' "$SAID" >"$ROOM/said.chatctl.$n"
  done
  printf 'redis://:hushhush-redis#127.0.0.1\n' >"$ROOM/uri"
  BRIDGE_SECRETS=("${mqtt[@]}" --postgres-file "$right" --redis-file "$ROOM/uri") && bridge_says "no address of a Redis"
  printf 'password-flie = "hushhush-config"\npostgres-url = "hushhush-config"\n' >"$ROOM/bridge.toml"
  BRIDGE_SECRETS=("${mqtt[@]}" --config "$ROOM/bridge.toml") && bridge_says "config\|INI"
  for uri in pg-wrong pg-away; do
    refused "$BUILD_FOLDER/chatctl/chatctl" --postgres-file "$ROOM/$uri" status
    expect "unavailable: PostgreSQL" in "$SAID"
    n=$((n + 1))
    printf '%s\n' "$SAID" >"$ROOM/said.chatctl.$n"
  done
}
UNREADABLE=("postgresql://chat:hushhush%zz@host/chat" "postgresql://chat:x/hushhush@host/chat" "postgresql:/chat:hushhush@host/chat"
  "host=db hushhush" "postgresql://host/chat?hushhush" "postgresql://chat:hushhush-a@hushhush-b@host/chat")

plugin_with_wrong_addresses() {
  local uri n=0 log
  for uri in "$(cat "$ROOM/pg-wrong")" "$(cat "$ROOM/pg-away")" "${UNREADABLE[@]}"; do
    log=$ROOM/said.broker.$((++n))
    printf '%s\n' "$uri" >"$ROOM/uri"
    sed "s|^\(plugin_opt_postgres_uri_file\) .*|\1 $ROOM/uri|" "$HERE/conf/mosquitto.conf" >"$ROOM/mosquitto.conf"
    run_broker "$log" "authentication failed\|refused\|can't be read"
    URI=$uri awk '/^plugin_opt_postgres_uri_file / { print "plugin_opt_postgres_uri " ENVIRON["URI"]; next } 1' "$HERE/conf/mosquitto.conf" >"$ROOM/mosquitto.conf"
    run_broker "$log.inline" "authentication failed\|refused\|can't be read"
  done
}

run_broker() { # LOG PATTERN
  local pid
  PATH=$PATH:/usr/sbin mosquitto -v -c "$ROOM/mosquitto.conf" >"$1" 2>&1 &
  pid=$!
  CHILDREN+=("$pid")
  eventually "the broker says \"$2\": $1" grep -q -e "$2" "$1"
  kill "$pid" 2>/dev/null || true
  wait "$pid" || true
}

# shellcheck shell=bash
# The stock broker with the plugin, its configuration, and the users that may log in.

find_mosquitto() {
  MOSQUITTO=${CHAT_MOSQUITTO:-}
  if [ -z "$MOSQUITTO" ]; then MOSQUITTO=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto) || fail "mosquitto is not installed" "./dev deps installs it."; fi
  [ -x "$MOSQUITTO" ] || fail "CHAT_MOSQUITTO=$MOSQUITTO is not a program"
}

# alice, bob, carol and dave with the password "demo", $CHAT_USERS (NAME or NAME:PASSWORD, spaces between) likewise, and
# the bridge with a password of its own. What stands there stays: users added by hand or by tests too.
DEMO_USERS=(alice bob carol dave)
BRIDGE_USER=chat-bridge

make_users() {
  local file=$RUN/conf/passwd fresh=$RUN/conf/passwd.new
  (umask 077 && : >>"$file")
  [ -e "$RUN/secret/bridge-password" ] || (umask 077 && new_password >"$RUN/secret/bridge-password")
  (
    umask 077
    # shellcheck disable=SC2086
    printf '%s\n' "${DEMO_USERS[@]}" "$BRIDGE_USER:$(<"$RUN/secret/bridge-password")" ${CHAT_USERS:-} |
      awk -F: -v known="$file" 'BEGIN { while ((getline line < known) > 0) { sub(/:.*/, "", line); seen[line] } }
        !($1 in seen) { seen[$1]; print (NF > 1 ? $0 : $1 ":demo") }' >"$fresh"
  )
  # One run hashes them all, which is far faster than one run each.
  if [ -s "$fresh" ]; then
    mosquitto_passwd -U "$fresh" >"$RUN/conf/passwd.log" 2>&1 || { show_tail "$RUN/conf/passwd.log"; fail "mosquitto_passwd could not write the users' passwords"; }
    cat "$fresh" >>"$file"
  fi
  rm -f "$fresh" "$RUN/conf/passwd.log"
}

# The plugin's options: ours, and over them $CHAT_PLUGIN_OPTS (KEY=VALUE, one a line or with ; between).
plugin_options() {
  printf '%s=%s\n' chat_prefix "$PREFIX" postgres_uri_file "$RUN/secret/postgres-uri" journal_dir "$RUN/journal" bridge_user "$BRIDGE_USER" acl_mode allow
  printf '%s\n' "${CHAT_PLUGIN_OPTS:-}" | tr ';' '\n' | sed 's/^[[:space:]]*//; /^$/d'
}

write_broker_conf() {
  local file=$RUN/conf/mosquitto.conf
  mkdir -p "$RUN/conf" "$RUN/journal"
  chmod 700 "$RUN/journal" "$RUN/conf"
  [ -n "$BARE" ] || pg_uri_of_service chat_plugin >"$RUN/secret/postgres-uri"
  {
    say "# Written by ./dev at every start of the broker. CHAT_BROKER_CONF=FILE adds lines, CHAT_PLUGIN_OPTS changes options."
    say "per_listener_settings false"
    [ "$(id -u)" != 0 ] || say "user root"
    say "log_dest stderr"
    say "log_timestamp_format %Y-%m-%dT%H:%M:%S"
    say "allow_anonymous false"
    say "set_tcp_nodelay true"
    say "password_file $RUN/conf/passwd"
    if [ -z "$BARE" ]; then
      say "plugin $PLUGIN"
      plugin_options | awk -F= '
        { key = $1; if (!(key in value)) order[++n] = key; value[key] = substr($0, length(key) + 2) }
        END { for (i = 1; i <= n; i++) print "plugin_opt_" order[i] " " value[order[i]] }'
    fi
    say "listener $WS_PORT 127.0.0.1"
    say "protocol websockets"
    say "# Without this, Mosquitto 2.0 takes no notice of a WebSocket listener's address, and listens everywhere."
    say "socket_domain ipv4"
    say "listener $PORT 127.0.0.1"
    say "protocol mqtt"
    if [ -s "$RUN/conf/extra.conf" ]; then
      say "# from CHAT_BROKER_CONF"
      cat "$RUN/conf/extra.conf"
    fi
  } >"$file"
}

spawn_broker() {
  local line
  find_mosquitto
  if [ -z "$BARE" ] && [ ! -e "$PLUGIN" ]; then fail "the plugin is not built: $PLUGIN" "./dev build builds it; CHAT_BARE=1 starts a broker without it."; fi
  if [ -n "${CHAT_PLUGIN_OPTS:-}" ]; then
    while read -r line; do
      case $line in *=*) ;; *) fail "CHAT_PLUGIN_OPTS: \"$line\" is not KEY=VALUE" ;; esac
    done < <(printf '%s\n' "$CHAT_PLUGIN_OPTS" | tr ';' '\n' | sed '/^[[:space:]]*$/d')
  fi
  mkdir -p "$RUN/conf"
  if [ -n "${CHAT_BROKER_CONF:-}" ]; then
    [ -r "$CHAT_BROKER_CONF" ] || fail "CHAT_BROKER_CONF=$CHAT_BROKER_CONF cannot be read"
    cat "$CHAT_BROKER_CONF" >"$RUN/conf/extra.conf"
  fi
  make_users
  write_broker_conf
  # shellcheck disable=SC2086
  spawn broker "$RUN" $WRAPPER "$MOSQUITTO" -c "$RUN/conf/mosquitto.conf"
}

broker_listens() { port_listening "$PORT" && port_listening "$WS_PORT"; }
await_broker() { await broker 120 broker_listens; }
stop_broker() { end_service broker TERM "$1"; }

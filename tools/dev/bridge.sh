# shellcheck shell=bash
# The bridge, which answers requests and passes on what PostgreSQL has committed.

spawn_bridge() {
  [ -x "$BRIDGE" ] || fail "the bridge is not built: $BRIDGE" "./dev build builds it."
  # The plugin and the bridge must agree on it. Of a value that is given twice the last one holds.
  local agreed=()
  [ "$(plugin_options | sed -n 's/^require_contact *= *//p' | tail -n 1)" != true ] || agreed=(--require-contact)
  BRIDGE_LOG_BEFORE=$(stat -c %s "$RUN/bridge.log" 2>/dev/null || printf 0)
  pg_uri_of_service chat_bridge >"$RUN/secret/bridge-postgres-uri"
  CHAT_REDIS=redis://127.0.0.1:$REDIS_PORT spawn bridge "$RUN" "$BRIDGE" --broker "mqtt://127.0.0.1:$PORT" \
    --user "$BRIDGE_USER" --password-file "$RUN/secret/bridge-password" \
    --postgres-file "$RUN/secret/bridge-postgres-uri" --prefix "$PREFIX" --log-level info \
    ${agreed[@]+"${agreed[@]}"}
}

# It says so itself; only what this start wrote counts. While PostgreSQL is down it can do no more than wait for it.
bridge_answers() {
  local said
  said=$(tail -c "+$((BRIDGE_LOG_BEFORE + 1))" "$RUN/bridge.log")
  grep -q "listening on" <<<"$said" || { [ -z "$(service_pid postgres)" ] && grep -q "who leads can't be settled" <<<"$said"; }
}
await_bridge() { await bridge 30 bridge_answers; }
stop_bridge() { end_service bridge TERM "$1"; }

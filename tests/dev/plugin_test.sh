# shellcheck shell=bash disable=SC2154
# What ./dev and conf/ do with the plugin, the bridge and chatctl.

test_DemoPlaysTwiceAndChecksItself() {
  unset CHAT_BARE
  expect "All of this was checked" in "$(dev demo)"
  expect "All of this was checked" in "$(dev demo)"
}

# The demo's checks can fail: its client is replaced by one that hears less, or hears twice.
test_DemoNoticesAMissingMessage() { demo_with_a_client_that_hears 'grep --line-buffered -v "Both!"' "as many as announced"; }
test_DemoNoticesADoubledMessage() { demo_with_a_client_that_hears 'sed -u "/Both!/p"' "as many as announced"; }
test_DemoNoticesAnAlteredMessage() { demo_with_a_client_that_hears 'sed -u "s/\"from\":\"carol\"/\"from\":\"dave\"/"' "three messages of the group"; }

demo_with_a_client_that_hears() { # FILTER COMPLAINT
  unset CHAT_BARE
  mkdir "$HERE/bin"
  cat >"$HERE/bin/mosquitto_sub" <<END
#!/usr/bin/env bash
trap 'kill \$client; exit' TERM
exec 3> >($1)
$(command -v mosquitto_sub) "\$@" >&3 &
client=\$!
wait
END
  chmod +x "$HERE/bin/mosquitto_sub"
  refused env PATH="$HERE/bin:$PATH" "$ROOT/dev" demo
  rm -r "${HERE:?}/bin"
  expect "the demo went wrong" in "$SAID"
  expect "$2" in "$SAID"
}

test_PluginOptionsReachThePlugin() {
  unset CHAT_BARE
  CHAT_PLUGIN_OPTS="chat_prefix=acme/talk;window=7" dev up
  expect "plugin_opt_window 7" in "$(cat "$HERE/conf/mosquitto.conf")"
  [ "$(grep -c chat_prefix "$HERE/conf/mosquitto.conf")" = 1 ] || wrong "chat_prefix stands there twice"
  [ "$(variable CHAT_PREFIX)" = acme/talk ] || wrong "CHAT_PREFIX is $(variable CHAT_PREFIX)"
  expect "acme/talk" in "$(cat "$HERE/bridge.log")"
  dev down
  refused env CHAT_PLUGIN_OPTS="window=much" "$ROOT/dev" up
  expect "window" in "$SAID"
  expect "much" in "$SAID"
}

# Every option of the drop-in, each written out as it stands there, starts a broker.
test_DropInConfigurationStartsTheBroker() {
  unset CHAT_BARE
  dev up
  local port
  port=$(variable CHAT_PORT)
  dev stop broker
  # Of the three ways to name the keys of tokens one is taken.
  (umask 077 && head -c 48 /dev/urandom | base64 >"$HERE/secret/jwt-secret")
  sed -e 's/^#plugin_opt_/plugin_opt_/; /^plugin_opt_postgres_uri$/d; /^plugin_opt_jwt_key_file/d; /^plugin_opt_jwt_jwks_file/d' \
    -e "s|/etc/mosquitto-chat/jwt-secret|$HERE/secret/jwt-secret|" \
    -e "s|/usr/lib/mosquitto-chat/|$BUILD_FOLDER/plugin/|; s|/etc/mosquitto-chat/postgres-uri|$HERE/secret/postgres-uri|" \
    -e "s|/var/lib/mosquitto/chat-journal|$HERE/journal|" "$ROOT/conf/mosquitto-chat.conf" >"$HERE/drop-in"
  {
    [ "$(id -u)" != 0 ] || echo "user root"
    cat "$HERE/drop-in"
    printf 'allow_anonymous false\npassword_file %s\nlistener %s 127.0.0.1\n' "$HERE/conf/passwd" "$port"
  } >"$HERE/all.conf"
  [ "$(grep -c ^plugin_opt_ "$HERE/all.conf")" -gt 15 ] || wrong "too few options: the sed above fits the file no more"
  PATH=$PATH:/usr/sbin mosquitto -c "$HERE/all.conf" >"$HERE/all.out" 2>&1 &
  CHILDREN+=($!)
  eventually "the broker answers: $(cat "$HERE/all.out")" mosquitto_pub -p "$port" -u alice -P demo -q 1 -t chat/d/bob/msg -m '{"body":"x"}'
  kill "${CHILDREN[-1]}"
  wait "${CHILDREN[-1]}" || true
  rm "$HERE"/all.* "$HERE/drop-in"
}

test_TlsExampleIsAcceptedByTheBroker() {
  command -v openssl >/dev/null || exit 77
  dev up
  local tls ws plain
  tls=$(variable CHAT_PORT) ws=$(variable CHAT_WS_PORT) plain=$(sed -n 's/^REDIS_PORT=//p' "$HERE/settings")
  local passwd=$HERE/conf/passwd
  dev stop broker
  dev stop redis
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout "$HERE/key" -out "$HERE/certificate" 2>/dev/null
  {
    [ "$(id -u)" != 0 ] || echo "user root"
    sed -e "s|/etc/mosquitto/certs/fullchain.pem|$HERE/certificate|; s|/etc/mosquitto/certs/privkey.pem|$HERE/key|" \
      -e "s|/etc/mosquitto/passwd|$passwd|; s/^listener 8883/listener $tls 127.0.0.1/; s/^listener 8884/listener $ws 127.0.0.1/" \
      -e "s/^listener 1883/listener $plain/" "$ROOT/conf/auth-password-file.conf" "$ROOT/conf/listener-tls.conf"
  } >"$HERE/all.conf"
  PATH=$PATH:/usr/sbin mosquitto -c "$HERE/all.conf" >"$HERE/all.out" 2>&1 &
  CHILDREN+=($!)
  eventually "the broker answers over TLS" mosquitto_pub -h localhost -p "$tls" --cafile "$HERE/certificate" -u alice -P demo -q 1 -t x -m x
  refused mosquitto_pub -h localhost -p "$tls" --cafile "$HERE/certificate" -t x -m x
  mosquitto_pub -p "$plain" -u alice -P demo -q 1 -t x -m x
  kill "${CHILDREN[-1]}"
  wait "${CHILDREN[-1]}" || true
  rm "$HERE"/all.* "$HERE/key" "$HERE/certificate"
}

test_BridgeConfigurationStartsTheBridge() {
  unset CHAT_BARE
  dev up
  sed -e "s|mqtt://127.0.0.1:1883|mqtt://127.0.0.1:$(variable CHAT_PORT)|; s|/etc/mosquitto-chat/|$HERE/secret/|" \
    "$ROOT/conf/bridge.toml" >"$HERE/bridge.toml"
  dev stop bridge
  "$BUILD_FOLDER/bridge/mosquitto-chat-bridge" --config "$HERE/bridge.toml" >"$HERE/own-bridge" 2>&1 &
  CHILDREN+=($!)
  eventually "the bridge listens" grep -q "listening on" "$HERE/own-bridge"
  kill "${CHILDREN[-1]}"
  wait "${CHILDREN[-1]}" || true
  rm "$HERE/bridge.toml" "$HERE/own-bridge"
}

test_RequireContactReachesTheBridgeToo() {
  unset CHAT_BARE
  local answer
  CHAT_PLUGIN_OPTS="require_contact=true" dev up
  answer=$(mosquitto_rr -p "$(variable CHAT_PORT)" -i alice-laptop -u alice -P demo -q 1 -t chat/rpc/conversation.create \
    -e chat/u/alice/reply/alice-laptop -m '{"id":"r-1","user":"bob"}' -W 20)
  expect '"code":"not_allowed"' in "$answer"
}

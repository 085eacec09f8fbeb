# shellcheck shell=bash disable=SC2154
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

#!/bin/sh
# Makes docker/.env with random passwords. What stands there stays: run again behind an upgrade, it adds what is new.
set -eu
cd "$(dirname "$0")"
umask 077
touch .env
chmod 600 .env
random() { od -An -tx1 -N16 /dev/urandom | tr -d ' \n'; }
value() { sed -n "s/^$1=//p" .env; }
added=
want() { # NAME VALUE
  if ! grep -q "^$1=" .env; then
    printf '%s=%s\n' "$1" "$2" >>.env
    added="$added $1"
  fi
}
want POSTGRES_PASSWORD "$(random)"
want CHAT_PG "postgresql://chat:$(value POSTGRES_PASSWORD)@postgres/chat"
want BRIDGE_PASSWORD "$(random)"
want CHAT_USERS "alice:demo bob:demo carol:demo dave:demo"
# The roles of the plugin, the bridge and chatctl.
for role in PLUGIN BRIDGE ADMIN; do want "CHAT_${role}_PASSWORD" "$(random)"; done
want CHAT_PG_PLUGIN "postgresql://chat_plugin:$(value CHAT_PLUGIN_PASSWORD)@postgres/chat"
want CHAT_PG_BRIDGE "postgresql://chat_bridge:$(value CHAT_BRIDGE_PASSWORD)@postgres/chat"
want CHAT_PG_CHATCTL "postgresql://chat_admin:$(value CHAT_ADMIN_PASSWORD)@postgres/chat"
if [ -z "$added" ]; then
  echo "docker/.env has all that is needed: left as it is"
else
  echo "docker/.env: made$added"
fi

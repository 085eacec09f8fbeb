#!/bin/sh
# Makes docker/.env with random passwords, once. docker compose reads it.
set -eu
cd "$(dirname "$0")"
if [ -e .env ]; then
  echo "docker/.env is there already: left as it is"
  exit 0
fi
random() { od -An -tx1 -N16 /dev/urandom | tr -d ' \n'; }
postgres=$(random)
umask 077
cat >.env <<END
POSTGRES_PASSWORD=$postgres
CHAT_PG=postgresql://chat:$postgres@postgres/chat
BRIDGE_PASSWORD=$(random)
CHAT_USERS=alice:demo bob:demo carol:demo dave:demo
END
echo "made docker/.env with random passwords, and the users alice, bob, carol and dave (password demo)"

#!/bin/sh
# Starts the compose file as a project of its own, with ports and volumes of its own; plays what README.md says, kills the broker,
# looks that nothing is lost, and takes the project away again. Needs Docker with Compose 2.
#   docker/smoke.sh [ARGUMENTS OF "docker compose up"]   e.g. --build; without it the image is built where there is none
set -eu
cd "$(dirname "$0")"
./prepare.sh
export COMPOSE_PROJECT_NAME=mosquitto-chat-smoke CHAT_PORT=0 CHAT_WEBSOCKET_PORT=0
trap 'docker compose down --volumes --timeout 20 >/dev/null 2>&1' EXIT

fail() {
  printf 'smoke: %s\n' "$1" >&2
  docker compose logs --tail 30 broker bridge >&2 || true
  exit 1
}
in_broker() { docker compose exec -T broker "$@"; }
# What USER's DEVICE is sent on TOPIC, COUNT messages of it.
hears() { in_broker mosquitto_sub -u "$1" -P demo -i "$1-$2" -q 1 -W 60 -v -t "$3" -C "$4" || true; }
expect() { # WORDS TEXT
  case $2 in *"$1"*) printf 'smoke: ok: %s\n' "$1" ;; *) fail "expected $1, got: $2" ;; esac
}
says() { # USER PASSWORD BODY
  tries=60 # the broker needs a second to start, a busy engine some more
  until in_broker mosquitto_pub -u "$1" -P "$2" -q 1 -t chat/d/bob/msg -m "{\"id\":\"$1-$3\",\"body\":\"$3\"}" 2>/dev/null; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "$1 could not publish"
    sleep 1
  done
}

docker compose up --detach "$@"
says alice demo hello
expect '"body":"hello"' "$(hears bob phone chat/u/bob/inbox 1)"
expect "unread/total 1" "$(hears bob tab chat/u/bob/unread/total 1)" # counted by the bridge

in_broker sh -c '{ echo sesame; echo sesame; } | mosquitto_passwd passwd erin && kill -HUP 1 && chatctl user add erin' >/dev/null
says erin sesame hi
expect g: "$(in_broker chatctl conversation create --owner alice --member bob)"

docker compose kill broker
docker compose up --detach
says alice demo again
got=$(hears bob laptop chat/u/bob/inbox 3)
expect '"seq":2' "$(printf '%s\n' "$got" | grep '"again"')"
expect '"body":"hi"' "$got"
docker compose stop --timeout 20
expect 'exited (0)' "$(docker compose ps --all --format '{{.State}} ({{.ExitCode}})' broker)"
echo "smoke: all as it should be"

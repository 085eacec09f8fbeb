# shellcheck shell=bash
# One running system: its folder ($CHAT_RUN_DIR), what it was asked to be, and the file that tells others where it is.

SERVICES=(postgres redis broker bridge) # in the order in which they start

RUN=${CHAT_RUN_DIR:-$BUILD/run}
case $RUN in /*) ;; *) RUN=$PWD/$RUN ;; esac
RUN=${RUN%/}

# What an `up` is asked for, remembered so that a later `start broker` starts the same broker; what the environment
# gives then goes before it.
SETTINGS=(CHAT_BARE CHAT_PREFIX CHAT_BIN_DIR CHAT_MOSQUITTO CHAT_BROKER_WRAPPER CHAT_PLUGIN_OPTS CHAT_USERS CHAT_PG_VIA)
PORT='' WS_PORT='' PG_PORT='' REDIS_PORT=''

load_settings() {
  local name
  for name in "${SETTINGS[@]}"; do
    [ -z "${!name+given}" ] || printf -v "given_$name" %s "${!name}"
  done
  # shellcheck disable=SC1091
  [ ! -e "$RUN/settings" ] || . "$RUN/settings"
  for name in "${SETTINGS[@]}"; do
    local given=given_$name
    [ -z "${!given+given}" ] || printf -v "$name" %s "${!given}"
  done
  apply_settings
}

# Only the ports outlive a `down`: everything else is what this `up` says.
load_ports() {
  [ -e "$RUN/settings" ] || return 0
  eval "$(grep -E '^(PORT|WS_PORT|PG_PORT|REDIS_PORT)=[0-9]*$' "$RUN/settings")"
}

apply_settings() {
  BARE=${CHAT_BARE:-}
  PREFIX=${CHAT_PREFIX:-chat}
  local option='(^|[;[:space:]])chat_prefix=([^;[:space:]]+)'
  [[ ! ${CHAT_PLUGIN_OPTS:-} =~ $option ]] || PREFIX=${BASH_REMATCH[2]}
  BIN=${CHAT_BIN_DIR:-$BUILD/release}
  WRAPPER=${CHAT_BROKER_WRAPPER:-}
  PLUGIN=$BIN/plugin/mosquitto_chat.so
  BRIDGE=$BIN/bridge/mosquitto-chat-bridge
  CTL=$BIN/chatctl/chatctl
  case $PREFIX in */ | /* | *[+#\$]* | *[[:space:]]*) fail "CHAT_PREFIX=$PREFIX cannot begin a topic" "Give letters and digits, with / between levels." ;; esac
}

save_settings() {
  local name
  {
    for name in "${SETTINGS[@]}"; do [ -z "${!name+given}" ] || printf '%s=%q\n' "$name" "${!name}"; done
    printf 'PORT=%s\nWS_PORT=%s\nPG_PORT=%s\nREDIS_PORT=%s\n' "$PORT" "$WS_PORT" "$PG_PORT" "$REDIS_PORT"
  } >"$RUN/settings.part"
  mv "$RUN/settings.part" "$RUN/settings"
}

# chat owns the tables, and nobody but migrations, tests and ./dev psql comes as it: each program has a role of its own.
PG_ROLES=(chat_plugin chat_bridge chat_admin)
pg_password_file() { case $1 in chat | postgres) printf %s "$RUN/secret/postgres-password" ;; *) printf %s "$RUN/secret/$1-password" ;; esac; }
pg_uri() { printf 'postgresql://%s:%s@127.0.0.1:%s/chat' "$1" "$(<"$(pg_password_file "$1")")" "$PG_PORT"; }

# The same as the broker and the bridge reach it: through a port that a test put in between, where CHAT_PG_VIA names one.
pg_uri_of_service() { PG_PORT=${CHAT_PG_VIA:-$PG_PORT} pg_uri "$1"; }

# The running folder is one command's at a time. What is written there is its owner's alone, whatever the umask; others may walk
# through, as PostgreSQL's user must.
ASKED_UMASK=$(umask)
lock_run_dir() {
  if [ ! -d "$RUN" ]; then
    mkdir -p "$RUN" 2>/dev/null && chmod 711 "$RUN" || fail "cannot make the folder $RUN" "CHAT_RUN_DIR names another one."
  fi
  umask 077
  [ -w "$RUN" ] || fail "cannot write to $RUN: it belongs to $(stat -c %U "$RUN"), you are $(id -un)" "CHAT_RUN_DIR names another folder."
  RUN=$(cd "$RUN" && pwd -P)
  exec {LOCK}>"$RUN/.lock"
  flock -n "$LOCK" || { say "    another ./dev command works in $RUN; waiting for it" && flock "$LOCK"; }
}

write_role_uris() { # CHAT_PG_PLUGIN, CHAT_PG_BRIDGE and CHAT_PG_CHATCTL, once the roles are there
  local role name
  for role in "${PG_ROLES[@]}"; do
    [ -e "$(pg_password_file "$role")" ] || continue
    name=${role#chat_}
    [ "$name" != admin ] || name=chatctl
    printf 'CHAT_PG_%s=%s\n' "${name^^}" "$(pg_uri "$role")"
  done
}

# $CHAT_RUN_DIR/env: what a person's shell and the tests read. A service that is down has an empty pid.
write_env() {
  [ -e "$RUN/secret/postgres-password" ] || return 0
  local name value service
  (
    umask 077
    {
      say "# Written by ./dev at every start and stop of a service; set -a; . this file; set +a"
      while IFS='=' read -r name value; do [ -z "$name" ] || printf '%s=%s\n' "$name" "$(shell_quoted "$value")"; done <<END
CHAT_RUN_DIR=$RUN
CHAT_HOST=127.0.0.1
CHAT_PORT=$PORT
CHAT_WS_PORT=$WS_PORT
CHAT_PREFIX=$PREFIX
CHAT_PG=$(pg_uri chat)
CHAT_PG_ADMIN=$(pg_uri postgres)
$(write_role_uris)
CHAT_REDIS=redis://127.0.0.1:$REDIS_PORT
CHAT_CTL=$CTL
CHAT_BIN_DIR=$BIN
CHAT_PLUGIN=$PLUGIN
CHAT_JOURNAL_DIR=$RUN/journal
CHAT_PASSWD=$RUN/conf/passwd
CHAT_BROKER_LOG=$RUN/broker.log
CHAT_BARE=$BARE
END
      for service in "${SERVICES[@]}"; do printf 'CHAT_%s_PID=%s\n' "${service^^}" "$(service_pid "$service")"; done
    } >"$RUN/env.part"
    mv "$RUN/env.part" "$RUN/env"
  )
}

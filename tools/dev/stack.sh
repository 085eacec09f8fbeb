# shellcheck shell=bash
# up, down, start, stop, kill, restart, status, logs: the running system under $CHAT_RUN_DIR.

known_service() {
  case ${1:-} in
    postgres | redis | broker | bridge) ;;
    '') fail "which service?" "One of: ${SERVICES[*]}" ;;
    *) fail "there is no service \"$1\"" "One of: ${SERVICES[*]}" ;;
  esac
}

said_port() {
  case $1 in
    postgres) printf ' on 127.0.0.1:%s' "$PG_PORT" ;;
    redis) printf ' on 127.0.0.1:%s' "$REDIS_PORT" ;;
    broker) printf ' on 127.0.0.1:%s, WebSocket %s%s' "$PORT" "$WS_PORT" "${BARE:+, without the plugin}" ;;
  esac
}

started() { say "    $1 is up$(said_port "$1"), process $(service_pid "$1")"; }

migrate() {
  [ -x "$CTL" ] || { [ -n "$BARE" ] || fail "chatctl is not built: $CTL" "./dev build builds it."; return 0; }
  local log=$RUN/migrate.log uri
  make_roles
  if ! CHAT_PG=$(pg_uri chat) "$CTL" migrate >"$log" 2>&1; then show_tail "$log"; fail "chatctl migrate could not bring the schema up"; fi
  uri=$(pg_uri chat_admin)
  local missing
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${DEMO_USERS[@]}" | sort) <(CHAT_PG=$uri "$CTL" --json user list 2>"$log" | jq -r '.users[].name' | sort))
  [ ${#missing[@]} != 0 ] || return 0
  if ! CHAT_PG=$uri "$CTL" user add "${missing[@]}" >"$log" 2>&1; then show_tail "$log"; fail "chatctl could not add the users ${missing[*]}"; fi
}

# Binaries of the default place are made when they are missing; another place is somebody else's business.
build_if_missing() {
  [ -z "$BARE" ] && [ -z "${CHAT_BIN_DIR:-}" ] || return 0
  [ ! -e "$PLUGIN" ] || [ ! -x "$BRIDGE" ] || [ ! -x "$CTL" ] || return 0
  step "Something is not built yet"
  cmd_deps --run-only
  build_targets release "${DEMO_TARGETS[@]}"
}

cmd_up() {
  local wanted=("$@") service
  for service in "$@"; do known_service "$service"; done
  load_ports
  apply_settings
  [ ${#wanted[@]} != 0 ] || wanted=("${SERVICES[@]}")
  if [ -n "$BARE" ]; then for service in "${!wanted[@]}"; do [ "${wanted[$service]}" != bridge ] || unset "wanted[$service]"; done; fi
  case " ${wanted[*]} " in *" broker "* | *" bridge "*) build_if_missing ;; esac
  lock_run_dir
  step "The system in $RUN"
  : >"$RUN/.chat-run"
  if is_up broker; then
    [ -z "${CHAT_PORT:-}" ] || [ "$CHAT_PORT" = "$PORT" ] ||
      fail "the broker of $RUN is up on port $PORT already, and CHAT_PORT=$CHAT_PORT is asked for" "./dev down first, or another CHAT_RUN_DIR for a second one."
    load_settings
  elif [ -z "${CHAT_BROKER_CONF:-}" ]; then
    rm -f "$RUN/conf/extra.conf"
  fi
  choose_ports
  local new=()
  for service in "${wanted[@]}"; do
    if is_up "$service"; then still_up "$service"; else new+=("$service"); fi
  done
  # The databases together, then what needs them.
  for service in "${new[@]}"; do case $service in postgres | redis) "spawn_$service" ;; esac; done
  find_postgres
  for service in "${new[@]}"; do
    case $service in
      broker) spawn_broker ;;
      bridge) spawn_bridge ;;
    esac
    "await_$service"
    started "$service"
    [ "$service" != postgres ] || migrate
  done
  write_env
  say "    variables for a shell: set -a; . $RUN/env; set +a"
}

# Up already; but is it awake, and is it what was built last?
still_up() {
  local note='' binary=''
  if is_frozen "$1"; then send_signal "$1" CONT && note=', was frozen and goes on'; fi
  case $1 in
    broker) [ -n "$BARE" ] || binary=$PLUGIN ;;
    bridge) binary=$BRIDGE ;;
  esac
  if [ "$binary" -nt "$(pid_file "$1")" ]; then note+=", of an older build: ./dev restart $1"; fi
  say "    $1 is up already, process $(service_pid "$1")$note"
}

cmd_start() {
  known_service "${1:-}"
  running_folder
  if is_up "$1"; then
    still_up "$1"
    return
  fi
  choose_ports
  find_postgres
  "spawn_$1"
  "await_$1"
  [ "$1" != postgres ] || migrate
  write_env
  started "$1"
}

cmd_stop() {
  known_service "${1:-}"
  running_folder
  if ! is_up "$1"; then
    say "    $1 is down already"
    return
  fi
  "stop_$1" 60 || fail "$1 did not end within 60 s of being asked (process $(service_pid "$1"))" "./dev kill $1 ends it at once."
  write_env
  say "    $1 is down"
}

cmd_restart() {
  cmd_stop "${1:-}"
  release_lock
  cmd_start "$1"
}

cmd_kill() {
  local signal=KILL service=''
  while [ $# -gt 0 ]; do
    case $1 in
      -*) signal=${1#-} ;;
      *) service=$1 ;;
    esac
    shift
  done
  known_service "$service"
  signal=${signal^^}
  signal=${signal#SIG}
  case $signal in *[!0-9]*) ;; *) signal=$(kill -l "$signal" 2>/dev/null) || fail "there is no such signal" ;; esac
  kill -l "$signal" >/dev/null 2>&1 || fail "there is no signal \"$signal\"" "./dev kill -KILL broker, -STOP, -CONT, -TERM, -HUP ..."
  running_folder
  is_up "$service" || fail "$service is not running, so it gets no signal"
  send_signal "$service" "$signal" || fail "$service ended before the signal reached it"
  write_env
  say "    $service got SIG$signal"
}

cmd_down() {
  local purge='' service slow=${CHAT_END_SECONDS:-20}
  case ${1:-} in
    --purge) purge=1 ;;
    '') ;;
    *) fail "./dev down knows only --purge, not \"$1\"" ;;
  esac
  if [ ! -d "$RUN" ]; then
    say "    nothing is there: $RUN"
    return
  fi
  lock_run_dir
  load_settings
  step "Ending the system in $RUN"
  for service in bridge broker redis postgres; do
    is_up "$service" || continue
    # What is thrown away anyway need not be put in order first.
    if [ -n "$purge" ] && [ "$service" = postgres ]; then
      end_service postgres QUIT "$slow" || send_signal postgres KILL
    elif ! "stop_$service" "$slow"; then
      warn "$service did not end within $slow s of being asked: killed"
      send_signal "$service" KILL
    fi
    say "    $service is down"
  done
  rm -f "$RUN"/*.pid "$RUN/env"
  if [ -n "$purge" ]; then purge_run_dir; fi
}

# Only what ./dev made there, and the folder if nothing else is in it.
purge_run_dir() {
  local service
  if [ ! -e "$RUN/.chat-run" ]; then
    say "    $RUN holds nothing of ./dev"
    return
  fi
  if [ -n "${CHAT_KEEP_LOGS:-}" ]; then
    for service in broker bridge; do
      [ ! -s "$RUN/$service.log" ] || cp "$RUN/$service.log" "$(mktemp "$CHAT_KEEP_LOGS/$service.XXXXXX")"
    done
  fi
  (cd "$RUN" && rm -rf postgres redis secret conf journal core ./demo.* ./*.log env env.part settings settings.part .chat-run .lock)
  rmdir --ignore-fail-on-non-empty "$RUN"
  say "    removed its data"
}

cmd_status() {
  local service pid state
  load_settings
  say "folder  $RUN"
  for service in "${SERVICES[@]}"; do
    pid=$(service_pid "$service")
    state=down
    if [ -n "$pid" ]; then
      if is_frozen "$service"; then state=frozen; else state=up; fi
    fi
    printf '%-9s %-7s %-8s %s\n' "$service" "$state" "${pid:--}" "$([ "$state" = down ] || said_port "$service" | sed 's/^ on //')"
  done
}

cmd_logs() {
  known_service "${1:-}"
  local service=$1 file=$RUN/$1.log
  shift
  [ -e "$file" ] || fail "there is no log of $service yet: $file" "./dev up starts it."
  [ $# != 0 ] || set -- -n 100
  exec tail "$@" "$file"
}

# A command's own words to a system that is there.
running_folder() {
  [ -e "$RUN/settings" ] || fail "there is no system in $RUN" "./dev up makes one (CHAT_RUN_DIR names another folder)."
  lock_run_dir
  load_settings
}

release_lock() { exec {LOCK}>&-; }

cmd_ctl() {
  running_folder
  release_lock
  [ -x "$CTL" ] || fail "chatctl is not built: $CTL" "./dev build builds it."
  local role=chat_admin
  case " $* " in *" migrate "*) role=chat ;; *" roles "*) role=postgres ;; esac
  umask "$ASKED_UMASK"
  CHAT_PG=$(pg_uri "$role") exec "$CTL" "$@"
}

cmd_psql() {
  running_folder
  release_lock
  umask "$ASKED_UMASK"
  # The password goes by the environment: everybody can read the process list.
  PGPASSWORD=$(<"$(pg_password_file chat)") exec psql -h 127.0.0.1 -p "$PG_PORT" -U chat -d chat "$@"
}

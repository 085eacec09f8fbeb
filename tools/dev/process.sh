# shellcheck shell=bash
# Services as processes: started in a session of their own, known by number and time of birth, ended only if they are
# still the ones that we started. A pid file holds "PID BIRTH"; a number that another program got since never matches.

# Prints "STATE PARENT BIRTH" of a process; fails where there is none. BIRTH names one process of one boot.
process_facts() {
  local line
  { read -r -d '' line <"/proc/$1/stat"; } 2>/dev/null || [ -n "${line:-}" ] || return 1
  line=${line##*) } # the program's name before it may hold anything
  # shellcheck disable=SC2086
  set -- $line
  printf '%s %s %s-%s' "$1" "$2" "${20}" "$BOOT"
}
read -r BOOT </proc/sys/kernel/random/boot_id
BOOT=${BOOT%%-*}

pid_file() { printf '%s/%s.pid' "$RUN" "$1"; }

# Whether a program whose first thread has ended still has others, which hold its ports and files: for a while after a kill.
threads_left() {
  local threads=("/proc/$1/task/"*)
  [ ${#threads[@]} -gt 1 ]
}

# The number of a living service that we started, or nothing.
service_pid() {
  local pid birth facts
  { read -r pid birth <"$(pid_file "$1")"; } 2>/dev/null || return 0
  facts=$(process_facts "$pid") || return 0
  case $facts in
    [ZX]*" $birth") ! threads_left "$pid" || printf '%s' "$pid" ;; # ended, and its parent has not looked yet
    *" $birth") printf '%s' "$pid" ;;
  esac
}

is_up() { [ -n "$(service_pid "$1")" ]; }

is_frozen() { [[ $(process_facts "$(service_pid "$1")") == [Tt]* ]]; }

# spawn SERVICE FOLDER COMMAND...: in a session of its own, with nothing of ours open but its log.
spawn() {
  local service=$1 folder=$2 pid
  shift 2
  (
    cd "$folder" || exit 1
    exec {LOCK}>&- {NAP}>&- 2>/dev/null
    exec </dev/null >>"$RUN/$service.log" 2>&1
    umask "$ASKED_UMASK" # a program's own care is what protects its files, here as elsewhere
    exec setsid "$@"
  ) &
  pid=$!
  disown "$pid"
  local facts
  facts=$(process_facts "$pid") || facts="Z 0 gone"
  printf '%s %s\n' "$pid" "${facts##* }" >"$(pid_file "$service")"
}

# await SERVICE SECONDS CHECK...: until the check passes; fails at once when the service has ended.
await() {
  local service=$1 limit=$2 began=$SECONDS told=0
  shift 2
  until "$@"; do
    is_up "$service" || { rm -f "$(pid_file "$service")"; write_env; show_tail "$RUN/$service.log"; fail "$service ended while starting" "The whole log: $RUN/$service.log"; }
    local waited=$((SECONDS - began))
    if [ "$waited" -ge "$limit" ]; then
      show_tail "$RUN/$service.log"
      fail "$service did not answer within $limit s (process $(service_pid "$service"))" "./dev kill $service ends it. The whole log: $RUN/$service.log"
    fi
    if [ $((waited / 10)) -gt "$told" ]; then told=$((waited / 10)) && say "    ... waiting for $service, $waited s"; fi
    nap
  done
}

# The processes of a service: PostgreSQL's are a family, each in a session of its own; the others are one.
service_family() { # PID
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v root="$1" '
    { pid = $1; sub(/^.*\) /, ""); split($0, field, " "); parent[pid] = field[2] }
    END {
      kept[root]; print root
      do { more = 0; for (p in parent) if (!(p in kept) && (parent[p] in kept)) { kept[p]; print p; more = 1 } } while (more)
    }'
}

all_in_state() { # STATES PID...: every process that is still there
  local states=$1 pid facts
  shift
  for pid in "$@"; do
    facts=$(process_facts "$pid") || continue
    case ${facts%% *} in
      Z | X) ! threads_left "$pid" || return 1 ;;
      [$states]) ;;
      *) return 1 ;;
    esac
  done
}

# Sends a signal to a service. STOP, CONT and KILL go to every process of PostgreSQL, so that it is really frozen, or
# really gone; any other only to the one that the others obey. STOP and KILL return when they have taken effect.
send_signal() { # SERVICE SIGNAL
  local service=$1 signal=$2 pid family=()
  pid=$(service_pid "$service")
  [ -n "$pid" ] || return 1
  case $signal in
    STOP | KILL)
      # The head first, and a look afterwards: once it stands, nobody new comes.
      kill -STOP "$pid" 2>/dev/null || true
      until all_in_state Tt "$pid"; do nap; done
      mapfile -t family < <(service_family "$pid")
      kill "-$signal" "${family[@]}" 2>/dev/null || true
      if [ "$signal" = STOP ]; then
        until all_in_state Tt "${family[@]}"; do nap; done
      else
        until all_in_state ZX "${family[@]}"; do nap; done
        rm -f "$(pid_file "$service")"
      fi
      ;;
    CONT)
      mapfile -t family < <(service_family "$pid")
      kill -CONT "${family[@]:1}" "$pid" 2>/dev/null || true
      ;;
    *) kill "-$signal" "$pid" ;;
  esac
}

# end_service SERVICE SIGNAL SECONDS: asks, waits, and answers whether it has gone. A frozen one is woken to hear it.
end_service() {
  local service=$1 signal=$2 limit=$3 began=$SECONDS told=0
  is_up "$service" || { rm -f "$(pid_file "$service")"; return 0; }
  send_signal "$service" "$signal" || true
  send_signal "$service" CONT || true
  while is_up "$service"; do
    local waited=$((SECONDS - began))
    [ "$waited" -lt "$limit" ] || return 1
    if [ $((waited / 10)) -gt "$told" ]; then told=$((waited / 10)) && say "    ... $service is ending, $waited s"; fi
    nap
  done
  rm -f "$(pid_file "$service")"
}

# shellcheck shell=bash
# chaos: a workload on a system of its own, faults one after the other, and the judgement. tests/chaos holds what is done.

cmd_chaos() {
  local arguments=()
  while [ $# -gt 0 ]; do
    case $1 in
      --seed)
        case ${2:-} in '' | *[!0-9]*) fail "./dev chaos --seed takes a whole number, not \"${2:-}\"" "The seed stands in the first line of a run." ;; esac
        export CHAT_SEED=$2
        shift
        ;;
      *) arguments+=("$1") ;;
    esac
    shift
  done
  cmd_deps
  build_targets release "${DEMO_TARGETS[@]}" chaos chat_canary
  step "Chaos"
  # A variable of some other system of ours must not lead it there.
  exec env -u CHAT_RUN_DIR -u CHAT_PORT -u CHAT_WS_PORT -u CHAT_PG -u CHAT_PG_PORT -u CHAT_REDIS -u CHAT_REDIS_PORT -u CHAT_BARE \
    -u CHAT_PLUGIN_OPTS -u CHAT_BROKER_CONF -u CHAT_USERS -u CHAT_PREFIX -u CHAT_BIN_DIR "$BUILD/release/tests/chaos/chaos" "${arguments[@]}"
}

# shellcheck shell=bash
# build, clean, bench.

# What a running system needs, without tests and benchmarks.
DEMO_TARGETS=(plugin/mosquitto_chat.so bridge/mosquitto-chat-bridge chatctl/chatctl)

JOBS=${CHAT_BUILD_JOBS:-$(nproc)}

configure() { # PRESET
  local preset=$1 folder=$BUILD/$1 arguments=()
  command -v cmake >/dev/null && command -v ninja >/dev/null || fail "cmake and ninja are not installed" "./dev deps installs what is missing."
  need_writable "$BUILD"
  if command -v ccache >/dev/null; then arguments=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache); fi
  # Configured before, and from this very folder: ninja itself notices what has changed.
  if [ -e "$folder/build.ninja" ] && grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$folder/CMakeCache.txt"; then return; fi
  step "Configuring $preset in build/$preset"
  rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles"
  if ! (cd "$ROOT" && cmake --preset "$preset" "${arguments[@]}") >"$BUILD/configure-$preset.log" 2>&1; then
    show_tail "$BUILD/configure-$preset.log" 25
    fail "cmake could not configure $preset" "A package may be missing: ./dev deps. The whole log: build/configure-$preset.log"
  fi
}

cmd_build() {
  local preset=${1:-release}
  case $preset in
    release | debug | asan | tsan | fuzz) ;;
    *) fail "there is no preset \"$preset\"" "One of: release debug asan tsan fuzz" ;;
  esac
  [ $# -le 1 ] || fail "./dev build takes one preset, and no \"$2\" behind it"
  build_targets "$preset"
}

build_targets() { # PRESET [TARGET...]
  local preset=$1 began=$SECONDS code=0
  shift
  configure "$preset"
  step "Building $preset, $JOBS at a time"
  export CCACHE_SLOPPINESS=pch_defines,time_macros # else it keeps nothing that was compiled with a precompiled header
  export NINJA_STATUS='[%f/%t %es] '
  if [ -t 1 ]; then
    ninja -C "$BUILD/$preset" -j "$JOBS" "$@" || code=$?
  else
    with_heartbeat "build" "$BUILD/build-$preset.log" ninja -C "$BUILD/$preset" -j "$JOBS" "$@" || code=$?
  fi
  [ "$code" = 0 ] || fail "the build of $preset failed" "The first error stands above, at FAILED:. ./dev build goes on from there."
  say "    built in build/$preset ($((SECONDS - began)) s)"
}

cmd_clean() {
  if [ -d "$BUILD/run" ]; then (RUN=$BUILD/run && cmd_down); fi
  local other pid
  for other in "$BUILD"/*/test-run/*/*.pid; do
    { read -r pid _ <"$other"; } 2>/dev/null && kill -0 "$pid" 2>/dev/null || continue
    fail "a test's system still runs: process $pid of $(dirname "$other")" "CHAT_RUN_DIR=$(dirname "$other") ./dev down --purge"
  done
  step "Throwing $BUILD away"
  rm -rf "$BUILD"
}

cmd_bench() {
  [ -x "$ROOT/bench/run" ] || fail "there is no bench/run"
  cmd_deps
  cmd_build release
  exec "$ROOT/bench/run" "$@"
}

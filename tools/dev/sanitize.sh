# shellcheck shell=bash
# sanitize: the unit tests of what the broker loads, then the integration tests with a plugin, a bridge and a chatctl that
# watch themselves.
#
# asan finds accesses outside of what was allocated, undefined behaviour, and what a program forgot to free at its end; tsan
# finds what two threads do without an order. The integration tests themselves are those of the release build. The broker is
# Debian's, so the sanitizer's runtime is loaded in front of it. Every process writes its reports into files of one folder,
# so that none is overlooked because the test went on; any report fails the run.

SANITIZED_BROKER=mosquitto SANITIZED_BRIDGE=mosquitto-chat-bridge
SANITIZED_UNITS=(auth/auth_test core/core_test core/plugin_parts_test journal/journal_test)

cmd_sanitize() {
  local kind=${1:-} regex=${2:-} code=0 units=0
  case $kind in
    asan | tsan) ;;
    '') fail "which sanitizer?" "./dev sanitize asan|tsan [REGEX]" ;;
    *) fail "there is no sanitizer \"$kind\"" "./dev sanitize asan|tsan [REGEX]" ;;
  esac
  [ $# -le 2 ] || fail "one expression for the tests' names, not two: \"$2\" and \"$3\""
  cmd_deps
  cmd_build release
  build_targets "$kind" "${DEMO_TARGETS[@]}" "${SANITIZED_UNITS[@]##*/}"
  build_targets release no_translations # without the sanitizer: it is there before the runtime is
  SANITIZER_REPORTS=$BUILD/$kind-reports
  lone_run "sanitize $kind" "$BUILD/$kind"
  sanitizer_environment "$kind"
  prove_sanitizer "$kind"
  fresh_reports
  run_units "$kind" "$regex" || code=1
  if [ "$units" = 0 ] || any_integration "$regex"; then CTEST_LABEL=integration run_ctest "$regex" "" {LONE}>&- || code=1; fi
  show_reports || code=1
  return "$code"
}

# What the tests' systems are started with.
sanitizer_environment() { # asan | tsan
  local runtime=libasan.so log=log_path=$SANITIZER_REPORTS/report:log_exe_name=1 known=$ROOT/tests/sanitize
  [ "$1" = asan ] || runtime=libtsan.so
  export CHAT_TEST_PROGRAMS=$BUILD/$1
  # libstdc++ too: the runtime looks for the function that throws exceptions as it starts, and the broker is no C++ program.
  CHAT_BROKER_WRAPPER="env LD_PRELOAD=$(realpath "$(g++ -print-file-name=$runtime)"):$(realpath "$(g++ -print-file-name=libstdc++.so)"):$BUILD/release/tests/sanitize/no_translations.so"
  export CHAT_BROKER_WRAPPER
  # Debian's broker has no frame pointers: without the slow way of unwinding, a stack through it would end there, and a leak of
  # ours could not be told from one of its own.
  export ASAN_OPTIONS=$log:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:fast_unwind_on_malloc=0:malloc_context_size=20
  export CHAT_PATIENCE_S=120
  # A service that is asked to end has long enough to name what it forgot to free.
  export CHAT_END_SECONDS=300 CHAT_KEEP_LOGS=$SANITIZER_REPORTS-logs
  export UBSAN_OPTIONS=$log:print_stacktrace=1
  export LSAN_OPTIONS=suppressions=$known/lsan.supp:print_suppressions=0
  export TSAN_OPTIONS=$log:second_deadlock_stack=1:suppressions=$known/tsan.supp:print_suppressions=0
}

# GCC's runtime for undefined behaviour writes into the program's own log when it is loaded beside that of AddressSanitizer,
# whatever its options say; the tests would throw that away.
fresh_reports() {
  rm -rf "$SANITIZER_REPORTS" "$SANITIZER_REPORTS-logs"
  mkdir -p "$SANITIZER_REPORTS" "$SANITIZER_REPORTS-logs"
}

reports_from_logs() {
  local log
  for log in "$SANITIZER_REPORTS-logs"/*; do
    [ -e "$log" ] || continue
    if grep -qa 'runtime error:' "$log"; then sed -n '/runtime error:/,$p' "$log" >"$SANITIZER_REPORTS/report.$(basename "$log")"; fi
  done
}

any_integration() { # REGEX
  ctest --test-dir "$BUILD/release" -N -L '^integration$' -R "$1" | grep -q '^Total Tests: [1-9]'
}

# Those whose name matches; counts them in `units`. Nothing is loaded in front of them: they have the runtime linked.
run_units() { # asan | tsan, REGEX
  local unit name code=0
  for unit in "${SANITIZED_UNITS[@]}"; do
    name=${unit##*/}
    [[ $name =~ $2 ]] || continue
    units=$((units + 1))
    step "$name"
    with_heartbeat "$name" "$SANITIZER_REPORTS-logs/$name" "$BUILD/$1/tests/$unit" --gtest_brief=1 || code=1
  done
  return "$code"
}

# Prints each kind of report once, with how often it came; fails where there is any.
show_reports() {
  local file kinds=0 all=0
  local -A times=() example=()
  reports_from_logs
  while IFS= read -r file; do
    while IFS= read -r line; do
      times[$line]=$((${times[$line]-0} + 1)) all=$((all + 1))
      [ -n "${example[$line]-}" ] || example[$line]=$file kinds=$((kinds + 1))
    done < <(grep -a '^SUMMARY: ' "$file" || grep -a 'runtime error:' "$file" || say "SUMMARY: (none: $(basename "$file") holds other words)")
  done < <(find "$SANITIZER_REPORTS" -type f -size +0 | sort)
  if [ "$all" = 0 ]; then
    say "    0 reports of sanitizers"
    return
  fi
  local line
  for line in "${!times[@]}"; do
    step "${times[$line]} times: $line"
    head -n 70 "${example[$line]}"
  done
  say "$all reports of sanitizers, of $kinds kinds; all of them: $SANITIZER_REPORTS"
  return 1
}

# Each deliberate defect (tests/sanitize/defects.cpp) is committed by the broker or the bridge of one small integration test,
# and by each program of unit tests, and must leave a report that names it.
prove_sanitizer() { # asan | tsan
  local program unit defect defects=(race)
  [ "$1" = tsan ] || defects=(overflow use-after-free undefined leak)
  step "Deliberate defects, to see that they are seen: ${defects[*]}"
  for program in $SANITIZED_BROKER $SANITIZED_BRIDGE; do
    for defect in "${defects[@]}"; do
      fresh_reports
      # Most of them end the program, and so the test.
      CHAT_DEFECT=$program:$defect CTEST_LABEL=integration run_ctest '^integration.rpc_test$' "" >"$BUILD/prove-$1.log" 2>&1 {LONE}>&- || true
      need_report "$1" "$program" "$defect"
    done
  done
  for unit in "${SANITIZED_UNITS[@]}"; do
    program=${unit##*/}
    for defect in "${defects[@]}"; do
      fresh_reports
      CHAT_DEFECT=$program:$defect "$BUILD/$1/tests/$unit" --gtest_list_tests >"$BUILD/prove-$1.log" 2>&1 || true
      cp "$BUILD/prove-$1.log" "$SANITIZER_REPORTS-logs/$program"
      need_report "$1" "$program" "$defect"
    done
  done
}

need_report() { # asan | tsan, PROGRAM DEFECT
  reports_from_logs
  grep -rqaF defects.cpp "$SANITIZER_REPORTS" || { show_tail "$BUILD/prove-$1.log" 30; fail "the $3 in $2 was not reported, so a real one would not be either"; }
  say "    $2, $3: reported"
}

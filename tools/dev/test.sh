# shellcheck shell=bash
# test: packages, build, lint, then every test; closes with the number of test cases.

cmd_test() {
  local regex='' long='' lint=1 bad=0
  while [ $# -gt 0 ]; do
    case $1 in
      --long) long=1 ;;
      --no-lint) lint='' ;;
      -*) fail "./dev test knows no \"$1\"" "./dev test [REGEX] [--long] [--no-lint]" ;;
      *) [ -z "$regex" ] || fail "one expression for the tests' names, not two: \"$regex\" and \"$1\""; regex=$1 ;;
    esac
    shift
  done
  cmd_deps
  cmd_build release
  if fuzz_is_tested "$regex"; then cmd_build fuzz; fi
  run_ctest "$regex" "$long" || bad=1
  # Behind the tests, whose waits have limits, and whatever they said: one run tells all.
  if [ -n "$lint" ]; then
    cmd_lint || bad=1
    tail -n 1 "$BUILD/test-count" # the last word of .ci/run is how many tests ran
  fi
  [ "$bad" = 0 ]
}

# CTEST_LABEL: only the tests that have it.
run_ctest() { # REGEX LONG
  local folder=$BUILD/release log=$BUILD/test.log code=0
  local arguments=(--test-dir "$folder" --output-on-failure --no-tests=error -j "${CHAT_TEST_JOBS:-$(($(nproc) + 1))}" --output-junit "$BUILD/test.xml")
  [ -z "$1" ] || arguments+=(-R "$1")
  if [ -n "$2" ]; then export CHAT_LONG=1; else arguments+=(-LE '^long$'); fi
  [ -z "${CTEST_LABEL:-}" ] || arguments+=(-L "^$CTEST_LABEL\$")
  step "Tests${1:+ whose name matches \"$1\"}${2:+, the long ones too}"
  rm -rf "$BUILD/test.xml" "$folder/test-reports"
  # A variable of some other system of ours must not lead the tests to it.
  with_heartbeat "tests" "$log" env -u CHAT_RUN_DIR -u CHAT_PORT -u CHAT_WS_PORT -u CHAT_PG -u CHAT_PG_PORT -u CHAT_REDIS \
    -u CHAT_REDIS_PORT -u CHAT_BARE -u CHAT_PLUGIN_OPTS -u CHAT_BROKER_CONF -u CHAT_USERS -u CHAT_PREFIX -u CHAT_BIN_DIR \
    ctest "${arguments[@]}" || code=$?
  [ -s "$BUILD/test.xml" ] || fail "ctest could not run the tests" "Its words stand above; the whole log: $log"
  count_cases "$BUILD/test.xml" "$folder/test-reports" | tee "$BUILD/test-count"
  return "$code"
}

# Prints "N passed, N failed" of test cases. A ctest entry counts as one, unless its program left a GoogleTest report of its
# cases in the folder; if such a program failed and the report says that all went well (it fell over at its end), that is
# one failed case more.
count_cases() { # JUNIT REPORTS
  local name status passed=0 failed=0 skipped=0 report tests failures disabled skips
  attribute() { sed -n "s/.*<testsuites[^>]* $1=\"\([0-9]*\)\".*/\1/p;T;q" "$2"; }
  while IFS=$'\t' read -r name status; do
    report=$2/${name//./_}.xml
    if [ -s "$report" ]; then
      tests=$(attribute tests "$report") failures=$(attribute failures "$report") disabled=$(attribute disabled "$report")
      skips=$(grep -c '<skipped' "$report" || true)
      passed=$((passed + tests - failures - disabled - skips)) failed=$((failed + failures)) skipped=$((skipped + disabled + skips))
      if [ "$status" = fail ] && [ "$failures" = 0 ]; then failed=$((failed + 1)); fi
      continue
    fi
    case $status in
      run) passed=$((passed + 1)) ;;
      fail) failed=$((failed + 1)) ;;
      *) skipped=$((skipped + 1)) ;;
    esac
  done < <(sed -n 's/.*<testcase name="\([^"]*\)".* status="\([a-z]*\)".*/\1\t\2/p' "$1")
  [ "$skipped" = 0 ] || say "$skipped skipped"
  say "$passed passed, $failed failed"
}

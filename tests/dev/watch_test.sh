# shellcheck shell=bash disable=SC2154,SC1090,SC1091
# soak, sanitize and leaks: what they refuse, and that their judges can find what they are there to find. The commands themselves
# take an hour and more; each shows with a deliberate defect first that it sees one.

judge() { # FUNCTION ARGUMENTS...: of ./dev, by itself
  (
    set +e
    for part in common process ports settings deps build test soak sanitize leaks; do . "$ROOT/tools/dev/$part.sh"; done
    "$@"
  )
}

samples() { # KILOBYTES A MINUTE OF THE BROKER'S GROWTH: an hour's table
  say_row() { printf '%7s %9s %9s %10s %10s %11s %7s %8s\n' "$@"; }
  say_row minute broker_kB its_heap bridge_kB its_heap journal_B lag_ms messages
  local minute warm
  for ((minute = 1; minute <= 60; minute++)); do
    # Caches that fill in ten minutes, and a wobble.
    warm=$((minute < 10 ? minute * 2000 : 20000))
    say_row $minute $((40000 + warm + minute % 3 * 100 + minute * $1)) 0 20000 0 100 5 $((minute * 120000))
  done
}

test_LongCommandsRefuseWhatTheyDoNotKnow() {
  refused dev soak --minutes 3
  expect '--minutes "3" is not a whole number from 8 to 10080' in "$SAID"
  refused dev soak --rate many
  expect '--rate "many" is not a whole number' in "$SAID"
  refused dev soak --rate
  expect '--rate needs a number' in "$SAID"
  refused dev soak --hours 1
  expect './dev soak knows no "--hours"' in "$SAID"
  refused dev leaks --messages -5
  expect '--messages "-5" is not a whole number from 100 to' in "$SAID"
  refused dev leaks all
  expect './dev leaks knows no "all"' in "$SAID"
  refused dev sanitize
  expect 'which sanitizer?' in "$SAID"
  refused dev sanitize msan
  expect 'there is no sanitizer "msan"' in "$SAID"
  refused dev sanitize asan one two
  expect 'not two: "one" and "two"' in "$SAID"
}

test_SoakTellsGrowthFromCachesThatFill() {
  samples 0 >"$HERE/flat"
  local words
  words=$(judge soak_verdict "$HERE/flat" 2000) || wrong "not flat: $words"
  expect "7200000 messages in 60 minutes, 2000 a second" in "$words"
  # 32 bytes at each twentieth message.
  samples 188 >"$HERE/growing"
  refused judge soak_verdict "$HERE/growing" 2000
  expect "NOT FLAT" in "$SAID"
  head -n 5 "$HERE/flat" >"$HERE/short"
  refused judge soak_verdict "$HERE/short" 2000
  expect "too few samples" in "$SAID"
  refused judge soak_verdict "$HERE/flat" 2100
  expect "only 2000 of the 2100 messages a second went through" in "$SAID"
}

test_LeaksCountOnlyWhatIsOursAndOnlyAWholeLog() {
  cat >"$HERE/theirs" <<'LOG'
==7== HEAP SUMMARY:
==7==     in use at exit: 72 bytes in 2 blocks
==7== 
==7== 72 bytes in 2 blocks are definitely lost in loss record 1 of 1
==7==    at 0x48417B4: malloc (vg_replace_malloc.c:381)
==7==    by 0x13754F: config__read (in /usr/sbin/mosquitto)
==7== 
==7== LEAK SUMMARY:
==7==    definitely lost: 72 bytes in 2 blocks
LOG
  expect "0 findings with a frame of ours, 1 without" in "$(judge leaks_verdict "$HERE/theirs")"
  sed 's/config__read (in .*/chat::Hub::tick() (hub.cpp:7)/' "$HERE/theirs" >"$HERE/ours"
  refused judge leaks_verdict "$HERE/ours"
  expect "1 findings with a frame of ours" in "$SAID"
  sed 's/72 bytes in 2 blocks are definitely.*/Invalid read of size 8/' "$HERE/ours" >"$HERE/read"
  refused judge leaks_verdict "$HERE/read"
  expect "chat::Hub::tick()" in "$SAID"
  # A broker that was killed says nothing of what it lost.
  head -n 3 "$HERE/theirs" >"$HERE/cut"
  refused judge leaks_verdict "$HERE/cut"
  expect "valgrind was not there at the end" in "$SAID"
}

test_SanitizerReportsAreCountedByKind() {
  mkdir "$HERE/reports"
  expect "0 reports" in "$(SANITIZER_REPORTS=$HERE/reports judge show_reports)"
  printf '%s\n' "==1==ERROR: AddressSanitizer: heap-use-after-free" "SUMMARY: AddressSanitizer: heap-use-after-free hub.cpp:7 in f" | tee "$HERE/reports/report.mosquitto.1" >"$HERE/reports/report.mosquitto.2"
  printf '%s\n' "hub.cpp:9:3: runtime error: signed integer overflow" >"$HERE/reports/report.mosquitto.3"
  SANITIZER_REPORTS=$HERE/reports refused judge show_reports
  expect "3 reports of sanitizers, of 2 kinds" in "$SAID"
  expect "2 times: SUMMARY: AddressSanitizer: heap-use-after-free" in "$SAID"
  expect "signed integer overflow" in "$SAID"
}

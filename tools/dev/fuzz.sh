# shellcheck shell=bash
# fuzz: looks for input that breaks what the targets in tests/fuzz promise. The smoke run in ./dev test is short; this is
# the long one.

FUZZ_TARGETS=(admit topic journal requests options addresses)

cmd_fuzz() { # [TARGET...] [--minutes M] [--seed N]
  local minutes=10 seed=$((SRANDOM % 1000000 + 1)) targets=() target bad=0
  while [ $# -gt 0 ]; do
    case $1 in
      --minutes | --seed)
        [[ ${2:-} =~ ^[1-9][0-9]{0,8}$ ]] || fail "$1 is a whole number from 1 on, not \"${2:-}\""
        if [ "$1" = --seed ]; then seed=$2; else minutes=$2; fi
        shift
        ;;
      -*) fail "./dev fuzz knows no \"$1\"" "./dev fuzz [TARGET...] [--minutes M] [--seed N]" ;;
      *)
        [[ " ${FUZZ_TARGETS[*]} " == *" $1 "* ]] || fail "there is no fuzz target \"$1\"" "One of: ${FUZZ_TARGETS[*]}"
        targets+=("$1")
        ;;
    esac
    shift
  done
  [ ${#targets[@]} != 0 ] || targets=("${FUZZ_TARGETS[@]}")
  cmd_deps
  build_targets fuzz fuzz_targets
  for target in "${targets[@]}"; do
    step "Fuzzing $target for $minutes minutes"
    "$ROOT/tests/fuzz/run.sh" "$BUILD/fuzz" "$target" "$seed" "$BUILD/fuzz-work" -max_total_time=$((minutes * 60)) || bad=1
  done
  [ "$bad" = 0 ] || fail "fuzzing found what stands above" "The bytes lie in build/fuzz-work/findings."
}

# Whether ./dev test REGEX runs a smoke run, and so needs the targets.
fuzz_is_tested() { # REGEX
  [ -z "$1" ] || printf 'fuzz.%s\n' "${FUZZ_TARGETS[@]}" canary | grep -qE -- "$1"
}

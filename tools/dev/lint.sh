# shellcheck shell=bash
# lint and format: shellcheck, clang-format, clang-tidy. The rules of this repository's own are tests: tests/tidy.
#
# The form of the sources is what clang-format 14 makes of .clang-format, and clang-tidy 14 is the one that is obeyed:
# those of Debian 12. Other versions differ in both, so on another Debian these two are left out, and it says so.

REFERENCE_CLANG=14

# Checks that cost much and that something cheaper covers: the compiler's -Wreserved-identifier, review.
TIDY_SKIP=-bugprone-reserved-identifier,-bugprone-stringview-nullptr,-performance-unnecessary-value-param
# Tests and benchmarks are not searched path by path: GoogleTest's macros make that slow and say nothing about our code.
# Nor are they held to saving copies: clarity first.
TIDY_SKIP_IN_TESTS="$TIDY_SKIP,-clang-analyzer-*,-performance-inefficient-*,-performance-no-automatic-move"
# The analyzer follows calls only where memory is handled by hand or by C interfaces.
TIDY_SHALLOW=(--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=mode=shallow)
TIDY_FLAGS=(-Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-unused-command-line-argument -Wreserved-identifier)

# Prints the tool of the reference version, or fails.
clang_tool() {
  local name
  for name in "$1-$REFERENCE_CLANG" "$1"; do
    if command -v "$name" >/dev/null && "$name" --version | grep -q "version $REFERENCE_CLANG\."; then
      printf %s "$name"
      return
    fi
  done
  return 1
}

# Our own sources that end so; new files too, before they are added.
own_files() { # SUFFIX...
  if [ -e "$ROOT/.git" ] && command -v git >/dev/null; then
    git -C "$ROOT" ls-files -co --exclude-standard -- "${@/#/*.}" | while read -r file; do [ ! -e "$ROOT/$file" ] || printf '%s\n' "$file"; done
  else
    local name arguments=()
    for name in "$@"; do arguments+=(-o -name "*.$name"); done
    (cd "$ROOT" && find . -path ./build -prune -o -type f \( "${arguments[@]:1}" \) -print | sed 's|^\./||')
  fi | LC_ALL=C sort
}

own_scripts() {
  (cd "$ROOT" && { own_files sh; for file in dev .ci/run bench/run; do [ ! -e "$file" ] || printf '%s\n' "$file"; done; })
}

cmd_format() {
  local tool files
  tool=$(clang_tool clang-format) || fail "the sources' form is that of clang-format $REFERENCE_CLANG, which is not here" "On Debian 12: ./dev deps."
  mapfile -t files < <(own_files cpp h)
  (cd "$ROOT" && "$tool" -i "${files[@]}")
  say "    put ${#files[@]} files in form"
}

cmd_lint() {
  local bad=0
  lint_scripts || bad=1
  lint_format || bad=1
  lint_tidy || bad=1
  [ "$bad" = 0 ] || { printf '%serror:%s lint found what stands above\n' "$RED" "$PLAIN" >&2; return 1; }
  say "    lint: clean"
}

lint_scripts() {
  local files
  command -v shellcheck >/dev/null || { warn "shellcheck is not installed: scripts are not checked (./dev deps)"; return 0; }
  mapfile -t files < <(own_scripts)
  step "shellcheck: ${#files[@]} scripts"
  (cd "$ROOT" && shellcheck --exclude=SC1091 "${files[@]}")
}

lint_format() {
  local tool files
  if ! tool=$(clang_tool clang-format); then
    say "    clang-format: left out, the sources' form is that of version $REFERENCE_CLANG (Debian 12), here is $(suite)"
    return 0
  fi
  mapfile -t files < <(own_files cpp h)
  step "clang-format: ${#files[@]} files"
  (cd "$ROOT" && "$tool" --dry-run --Werror "${files[@]}") || { say "       ./dev format puts them in form" >&2; return 1; }
}

# "HASH SOURCE" for each source that is compiled: the hash covers the source, all of our headers that it includes, its
# compile command, the rules, the tool and the packages that the other headers come from.
tidy_keys() { # TOOL
  local folder=$BUILD/release common
  common=$({ "$1" --version; cat "$ROOT/.clang-tidy"; printf '%s\n' "$TIDY_SKIP_IN_TESTS" "${TIDY_FLAGS[@]}"; dpkg-query -W -f '${Package} ${Version}\n' "${PACKAGES[@]}" 2>/dev/null; } | sha256sum)
  {
    (cd "$ROOT" && own_files cpp h | tr '\n' '\0' | xargs -0 sha256sum | sed "s|  |  $ROOT/|")
    find "$folder" -name '*.h' -path '*/generated/*' -exec sha256sum {} +
    printf 'COMMANDS\n'
    jq -r '.[] | "\(.file)\t\(.command)"' "$BUILD/lint/compile_commands.json"
    printf 'DEPS\n'
    ninja -C "$folder" -t deps
  } | awk -v root="$ROOT/" -v common="${common%% *}" -v out="$BUILD/lint/keys" '
    part == "" && NF == 2 && $1 != "COMMANDS" { hash[$2] = $1; next }
    $0 == "COMMANDS" { part = "commands"; next }
    $0 == "DEPS" { part = "deps"; next }
    part == "commands" { split($0, field, "\t"); command[field[1]] = field[2]; next }
    /^[^ ]/ { source = ""; next }
    NF == 1 { if (source == "") { source = $1; if (source in seen) { source = "-"; next } seen[source] }
              if ($1 in hash) text[source] = text[source] hash[$1] " " $1 "\n" }
    END { for (s in command) if ((s in hash) && (s in text)) {
            file = substr(s, length(root) + 1); name = file; gsub("/", "!", name)
            printf "%s\n%s\n%s", common, command[s], text[s] > (out "/" name); close(out "/" name) } }'
  (cd "$BUILD/lint/keys" && find . -type f -printf '%P\0' | xargs -0 -r sha256sum | tr '!' '/')
}

lint_tidy() {
  local tool bad=0
  if ! tool=$(clang_tool clang-tidy); then
    say "    clang-tidy: left out, the one that is obeyed is version $REFERENCE_CLANG (Debian 12), here is $(suite)"
    return 0
  fi
  # What the compiler found to be included tells what to check again.
  [ -e "$BUILD/release/.ninja_deps" ] || cmd_build release
  local keys=$BUILD/lint/keys clean=$BUILD/lint/clean
  rm -rf "$keys"
  mkdir -p "$keys" "$clean"
  # GCC's own flags are an error for clang; a source of two targets is checked once.
  jq 'unique_by(.file) | map(.command |= gsub(" -fno-gnu-unique"; ""))' "$BUILD/release/compile_commands.json" >"$BUILD/lint/compile_commands.json"
  local all=0 waiting=() hash file known
  while read -r hash file; do
    all=$((all + 1))
    [ -e "$clean/$hash" ] || waiting+=("$hash $file")
  done < <(tidy_keys "$tool")
  known=$(find "$keys" -type f -printf '%P\n' | tr '!' '/' | LC_ALL=C sort)
  file=$(comm -23 <(own_files cpp) <(printf '%s\n' "$known"))
  if [ -n "$file" ]; then
    printf '%s\n       no target compiles these: a file that is not built is not checked and not tested\n' "$file" >&2
    bad=1
  fi
  step "clang-tidy: ${#waiting[@]} of $all files (the others have not changed since they were clean)"
  run_tidy "$tool" "${waiting[@]}" || bad=1
  return "$bad"
}

# One file in a process of its own; prints what it found, and remembers when that is nothing.
tidy_one() { # TOOL HASH FILE
  local skip=$TIDY_SKIP log=$BUILD/lint/$2.log depth=()
  case $3 in
    tests/* | bench/*) skip=$TIDY_SKIP_IN_TESTS ;;
    plugin/* | storage/*) ;;
    *) depth=("${TIDY_SHALLOW[@]}") ;;
  esac
  if "$1" -p "$BUILD/lint" --quiet "--checks=$skip" "${TIDY_FLAGS[@]/#/--extra-arg=}" "${depth[@]}" "$ROOT/$3" >"$log" 2>&1; then
    : >"$BUILD/lint/clean/$2"
  else
    grep -vE '^[0-9]+ (warnings?|errors?)( and [0-9]+ errors?)? generated|^Suppressed|^Use -header-filter|^Error while processing' "$log" >&2 || true
    : >"$BUILD/lint/found"
  fi
  rm -f "$log"
}

run_tidy() {
  local tool=$1 running=0 done=0 began=$SECONDS told=$SECONDS job all
  shift
  all=$#
  rm -f "$BUILD/lint/found"
  for job in "$@"; do
    if [ "$running" -ge "$JOBS" ]; then
      wait -n || true
      running=$((running - 1)) done=$((done + 1))
    fi
    if [ $((SECONDS - told)) -ge 10 ]; then
      told=$SECONDS
      say "    [$done/$all $((SECONDS - began))s] clang-tidy"
    fi
    tidy_one "$tool" "${job%% *}" "${job#* }" &
    running=$((running + 1))
  done
  wait
  [ "$all" = 0 ] || say "    [$all/$all $((SECONDS - began))s] clang-tidy"
  [ ! -e "$BUILD/lint/found" ]
}

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
    # Sources that were compiled as one depend on whatever any of them includes.
    function finish(  s) { for (s in sources) if (!(s in text)) text[s] = ours; ours = ""; split("", sources) }
    part == "" && NF == 2 && $1 != "COMMANDS" { hash[$2] = $1; next }
    $0 == "COMMANDS" { part = "commands"; next }
    $0 == "DEPS" { part = "deps"; next }
    part == "commands" { split($0, field, "\t"); command[field[1]] = field[2]; next }
    /^[^ ]/ { finish(); next }
    NF == 1 && ($1 in hash) { ours = ours hash[$1] " " $1 "\n"; if ($1 ~ /\.cpp$/) sources[$1] }
    END { finish()
          for (s in command) if ((s in hash) && (s in text)) {
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
  # How each source is compiled by itself, which the release build does with several at once. GCC's own flags are an error for
  # clang, and so are its precompiled headers; a source of two targets is checked once.
  (cd "$ROOT" && cmake --preset release -B "$BUILD/lint/apart" -DCHAT_UNITY=OFF) >"$BUILD/lint/configure.log" 2>&1 ||
    { show_tail "$BUILD/lint/configure.log"; fail "cmake could not configure for the lint"; }
  jq 'unique_by(.file) | map(select(.file | test("/cmake_pch[.]") | not) |
    .command |= gsub(" -fno-gnu-unique| -Winvalid-pch| -include [^ ]*/cmake_pch[.]hxx"; ""))' "$BUILD/lint/apart/compile_commands.json" >"$BUILD/lint/compile_commands.json"
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

# Gathers files that are checked alike, two dozen at a time: what costs is not their text but the headers, which are the same.
# Two files that use one name for two things can't be one source, so no two of a batch have a name at a line's start in
# common. Prints a line per job: the hashes and the files, each joined by commas.
tidy_jobs() { # FILE with a line "HASH FILE" for each
  (cd "$ROOT" && awk -v most=24 '
    # What is linked together has no name twice, and is checked alike.
    function class_of(file) {
      if (file ~ /^(plugin|storage)\//) return "plugin"
      if (file ~ /^tests\/(integration|support|chaos|permissions|docs|sanitize|tidy)\//) return "tests"
      return match(file, /^tests\/[^\/]*/) ? substr(file, RSTART, RLENGTH) : substr(file, 1, index(file, "/"))
    }
    function read_names(file,   line) {
      split("", names)
      while ((getline line <file) > 0) {
        if (line ~ /^#define /) { split(line, word, /[ (]/); names[word[2]]; continue }
        if (line ~ /^BENCHMARK_MAIN/) { names["main"]; continue }
        if (line ~ /^[A-Z_]+\(/) { names[line]; continue }
        if (line !~ /^[A-Za-z]/ || line ~ /^(namespace |template |using |extern |static_assert)/) continue
        sub(/ final/, "", line); sub(/ : .*/, "", line); sub(/[[({=;].*/, "", line)
        if (match(line, /[A-Za-z_0-9:~]+ *$/)) { line = substr(line, RSTART); sub(/ *$/, "", line); if (line !~ /::/) names[line] }
      }
      close(file)
    }
    function fits(job,   name) {
      if (size[job] >= most || class[job] != class_of($2)) return 0
      for (name in names) if ((job, name) in taken) return 0
      return 1
    }
    { read_names($2)
      for (job = 1; job <= jobs; ++job) if (fits(job)) break
      if (job > jobs) class[jobs = job] = class_of($2)
      hashes[job] = hashes[job] (size[job] ? "," : "") $1; files[job] = files[job] (size[job]++ ? "," : "") $2
      for (name in names) taken[job, name] }
    END { for (job = 1; job <= jobs; ++job) print hashes[job], files[job] }' "$1")
}

# One source made of those of a batch, and its compile command: that of the first, with what any of them defines and where any
# finds its headers. They are copied and not included, as some checks look at nothing that is included.
write_batch() { # NAME FILE...
  local folder=$BUILD/lint/batches/$1
  shift
  mkdir -p "$folder"
  (cd "$ROOT" && cat "$@") >"$folder/all.cpp"
  printf '%s\n' "${@/#/$ROOT/}" | jq -R . | jq -s --arg source "$folder/all.cpp" --slurpfile known "$BUILD/lint/compile_commands.json" '
    def given: "-D[^ =]+(=[^ ]*)?|-I[^ ]+|-isystem [^ ]+";
    . as $files | [$known[0][] | select(.file as $file | $files | any(. == $file))] as $entries
    | ($entries | map(.command | [match(given; "g").string]) | add | unique_by(sub("=.*"; "")) | join(" ")) as $words
    | $entries[0] | .command |= (split(" -o ")[0] | gsub(given; "")) + " " + $words + " -c " + $source | .file = $source | [.]' \
    >"$folder/compile_commands.json"
}

tidy_arguments() { # FILE
  printf '%s\n' --quiet "${TIDY_FLAGS[@]/#/--extra-arg=}"
  case $1 in
    tests/* | bench/*) printf '%s\n' "--checks=$TIDY_SKIP_IN_TESTS" ;;
    plugin/* | storage/*) printf '%s\n' "--checks=$TIDY_SKIP" ;;
    *) printf '%s\n' "--checks=$TIDY_SKIP" "${TIDY_SHALLOW[@]}" ;;
  esac
}

# One job in a process of its own; prints what it found, and remembers when that is nothing. A batch that is not clean is
# looked at again in halves: two files may use one name for two things, and what is found is told of the file itself.
tidy_job() { # TOOL HASHES FILES NAME
  local hashes files arguments half hash log=$BUILD/lint/job-$4.log clean=''
  IFS=, read -ra hashes <<<"$2"
  IFS=, read -ra files <<<"$3"
  mapfile -t arguments < <(tidy_arguments "${files[0]}")
  if [ ${#files[@]} = 1 ]; then
    "$1" -p "$BUILD/lint" "${arguments[@]}" "$ROOT/${files[0]}" >"$log" 2>&1 && clean=1
  else
    write_batch "$4" "${files[@]}"
    "$1" -p "$BUILD/lint/batches/$4" "${arguments[@]}" "$BUILD/lint/batches/$4/all.cpp" >"$log" 2>&1 && clean=1
  fi
  if [ -n "$clean" ]; then
    for hash in "${hashes[@]}"; do : >"$BUILD/lint/clean/$hash"; done
  elif [ ${#files[@]} -gt 1 ]; then
    half=$((${#files[@]} / 2))
    tidy_job "$1" "$(comma "${hashes[@]:0:half}")" "$(comma "${files[@]:0:half}")" "$4-1"
    tidy_job "$1" "$(comma "${hashes[@]:half}")" "$(comma "${files[@]:half}")" "$4-2"
  else
    grep -vE '^[0-9]+ (warnings?|errors?)( and [0-9]+ errors?)? generated|^Suppressed|^Use -header-filter|^Error while processing' "$log" >&2 || true
    : >"$BUILD/lint/found"
  fi
  rm -f "$log"
}

comma() {
  local IFS=,
  printf %s "$*"
}

run_tidy() { # TOOL "HASH FILE"...
  local tool=$1 running=0 done=0 number=0 began=$SECONDS told=$SECONDS jobs hashes files
  shift
  [ $# -gt 0 ] || return 0
  rm -rf "$BUILD/lint/found" "$BUILD/lint/batches"
  printf '%s\n' "$@" >"$BUILD/lint/waiting"
  mapfile -t jobs < <(tidy_jobs "$BUILD/lint/waiting")
  while read -r hashes files; do
    if [ "$running" -ge "$JOBS" ]; then
      wait -n || true
      running=$((running - 1)) done=$((done + 1))
    fi
    if [ $((SECONDS - told)) -ge 10 ]; then
      told=$SECONDS
      say "    [$done/${#jobs[@]} $((SECONDS - began))s] clang-tidy"
    fi
    number=$((number + 1))
    tidy_job "$tool" "$hashes" "$files" "$number" &
    running=$((running + 1))
  done < <(printf '%s\n' "${jobs[@]}")
  wait
  say "    [${#jobs[@]}/${#jobs[@]} $((SECONDS - began))s] clang-tidy"
  [ ! -e "$BUILD/lint/found" ]
}

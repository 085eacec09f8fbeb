# shellcheck shell=bash disable=SC2154,SC2030,SC2031,SC1090,SC2016
# The parts of ./dev that judge others: they must be able to find something.

# A tree of its own with ./dev in it and one source.
small_tree() { # TEXT
  mkdir -p "$HERE/tree/tools" "$HERE/tree/tests"
  cp "$ROOT/dev" "$ROOT/.clang-format" "$ROOT/.clang-tidy" "$HERE/tree/"
  cp -r "$ROOT/tools/dev" "$HERE/tree/tools/"
  printf '%s\n' "$1" >"$HERE/tree/tests/planted.cpp"
}

# Calls a function of ./dev in that tree.
inside() {
  (
    set +e
    ROOT=$HERE/tree
    unset CHAT_RUN_DIR CHAT_BIN_DIR
    for part in common process ports settings deps build lint test; do . "$ROOT/tools/dev/$part.sh"; done
    "$@"
  )
}

test_FormatCheckFindsWhatIsPlanted() {

  small_tree 'int   main( ){return 0;}'
  inside clang_tool clang-format >/dev/null || exit 77
  refused inside lint_format
  expect "planted.cpp" in "$SAID"
  inside cmd_format
  inside lint_format
}

test_ScriptCheckFindsWhatIsPlanted() {
  command -v shellcheck >/dev/null || exit 77
  small_tree "int main() { return 0; }"
  printf '#!/bin/sh\nrm $1\n' >"$HERE/tree/planted.sh"
  refused inside lint_scripts
  expect "planted.sh" in "$SAID"
}

test_ClangTidyFindsWhatIsPlantedAndRemembersWhatIsClean() {
  small_tree $'#include <string>\n#include <utility>\nint main() {\n  std::string a = "x";\n  std::string b = std::move(a);\n  return static_cast<int>(a.size() + b.size());\n}'
  inside clang_tool clang-tidy >/dev/null || exit 77
  cat >"$HERE/tree/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(planted LANGUAGES CXX)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
add_executable(planted tests/planted.cpp)
END
  cp "$ROOT/CMakePresets.json" "$HERE/tree/"
  inside cmd_build
  refused inside lint_tidy
  expect "bugprone-use-after-move" in "$SAID"
  sed -i 's/a.size() + b.size()/b.size()/' "$HERE/tree/tests/planted.cpp"
  inside cmd_build
  expect "1 of 1 files" in "$(inside lint_tidy)"
  expect "0 of 1 files" in "$(inside lint_tidy)"
  # A file that no target compiles is not checked by anybody.
  printf 'int unused() { return 1; }\n' >"$HERE/tree/tests/forgotten.cpp"
  refused inside lint_tidy
  expect "tests/forgotten.cpp" in "$SAID"
}

test_CleanThrowsTheBuildAwayAndNothingElse() {
  small_tree "int main() { return 0; }"
  mkdir -p "$HERE/tree/build/release"
  (unset CHAT_RUN_DIR CHAT_BIN_DIR && "$HERE/tree/dev" clean)
  [ ! -e "$HERE/tree/build" ] || wrong "build/ is still there"
  [ -e "$HERE/tree/tests/planted.cpp" ] || wrong "a source is gone"
}

test_CountIsOfCasesNotOfPrograms() {

  small_tree ""
  mkdir "$HERE/reports"
  cat >"$HERE/test.xml" <<'END'
<testsuite name="x" tests="6" failures="2" disabled="0" skipped="1">
	<testcase name="Names.AreShort" classname="Names.AreShort" time="0.01" status="run"/>
	<testcase name="Names.AreLong" classname="Names.AreLong" time="0.01" status="fail">
	</testcase>
	<testcase name="dev.Skipped" classname="dev.Skipped" time="0.01" status="notrun"/>
	<testcase name="integration.whole" classname="integration.whole" time="0.01" status="run"/>
	<testcase name="integration.broken" classname="integration.broken" time="0.01" status="fail"/>
	<testcase name="integration.fell_at_its_end" classname="integration.fell_at_its_end" time="0.01" status="fail"/>
</testsuite>
END
  printf '<?xml version="1.0"?>\n<testsuites tests="10" failures="0" disabled="1" errors="0" time="1">\n' >"$HERE/reports/integration_whole.xml"
  printf '<?xml version="1.0"?>\n<testsuites tests="5" failures="3" disabled="0" errors="0" time="1">\n' >"$HERE/reports/integration_broken.xml"
  printf '<?xml version="1.0"?>\n<testsuites tests="4" failures="0" disabled="0" errors="0" time="1">\n' >"$HERE/reports/integration_fell_at_its_end.xml"
  # 1 + 9 + 2 + 4 passed; 1 + 3 failed, and one for the program that fell.
  [ "$(inside count_cases "$HERE/test.xml" "$HERE/reports")" = "2 skipped
16 passed, 5 failed" ] || wrong "counted: $(inside count_cases "$HERE/test.xml" "$HERE/reports")"
}

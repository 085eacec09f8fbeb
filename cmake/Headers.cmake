# Precompiled headers: most of what a source costs is reading the same libraries again. A source includes what it uses all the
# same; ./dev lint compiles without these.
function(chat_precompile target)
  target_precompile_headers(${target} PRIVATE
    <algorithm> <chrono> <condition_variable> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <random>
    <set> <sstream> <string> <thread> <vector> ${ARGN})
endfunction()

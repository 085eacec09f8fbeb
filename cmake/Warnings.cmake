# One place for the language level, warnings and sanitizers; every target takes them from here.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# The plugin is dlopened RTLD_GLOBAL beside other plugins: nothing but its C entry points may be visible.
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

add_library(chat_warnings INTERFACE)
target_compile_options(chat_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                               -Wcast-align -Wold-style-cast -Wnull-dereference -Wformat=2)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12's own <string> trips these at -O2 in C++20 (GCC bug 105651); they say nothing about our code.
  target_compile_options(chat_warnings INTERFACE -Wno-restrict -Wno-null-dereference)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    # Newer ones say these of what they inline from <variant>, <string> and libpqxx, the more of it the more sources are one.
    # Debian 12's GCC 12 is the one that is obeyed there.
    target_compile_options(chat_warnings INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow)
  endif()
  if(CHAT_SANITIZE)
    # GCC 12 says it of its own <regex> under AddressSanitizer (GCC bug 105562); the release build is the one that is obeyed.
    target_compile_options(chat_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
  add_compile_options(-fno-gnu-unique)
endif()
if(CHAT_WERROR)
  target_compile_options(chat_warnings INTERFACE -Werror)
endif()
if(CHAT_SANITIZE)
  add_compile_options(-fsanitize=${CHAT_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CHAT_SANITIZE})
  if(CHAT_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)  # a report ends the program, so that no test can pass over it
  endif()
endif()

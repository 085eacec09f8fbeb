# Several sources of a target compiled as one: most of what a source costs is reading the same libraries and instantiating the
# same templates again. They still include what they use each by itself; ./dev lint compiles them apart.
option(CHAT_UNITY "Compile several sources of a target as one" OFF)
function(chat_unite target)
  if(CHAT_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

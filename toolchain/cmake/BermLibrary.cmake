# SPDX-License-Identifier: Apache-2.0
# add_berm_library(NAME SOURCES a.cpp … [USES berm_x …] [LIBS system::lib …]) One static library
# per folder. USES is public (headers include headers), LIBS is private: no library type stands in
# a public header. The arrows are held by toolchain/dev/layers.py over the real includes.
function(add_berm_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBS" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC berm_compile ${ARG_USES} PRIVATE ${ARG_LIBS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE berm_compile ${ARG_USES})
  endif()
endfunction()

# berm_embed(OUT.cpp NAMESPACE ns FILES a.sql …): text files as constants kA (file stem in
# PascalCase).
function(berm_embed out)
  cmake_parse_arguments(ARG "" "NAMESPACE" "FILES" ${ARGN})
  set(paths "")
  foreach(file ${ARG_FILES})
    list(APPEND paths "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()
  add_custom_command(OUTPUT "${out}"
    COMMAND python3 "${CMAKE_SOURCE_DIR}/toolchain/cmake/embed.py" "${out}" "${ARG_NAMESPACE}"
    ${paths}
    DEPENDS ${paths} "${CMAKE_SOURCE_DIR}/toolchain/cmake/embed.py" VERBATIM)
endfunction()

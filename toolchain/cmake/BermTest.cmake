# SPDX-License-Identifier: Apache-2.0
# add_berm_test(NAME SOURCES … [USES …] [LIBS …] [TIMEOUT s] [RESOURCE lock]): one GoogleTest
# program. Its ctest label is the first folder under tests/ (unit, contract, replay, fault,
# scenario, system).
function(add_berm_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;RESOURCE" "SOURCES;USES;LIBS" ${ARGN})
  berm_test_label(label)
  add_executable(${name} ${ARG_SOURCES})
  # The product is optimised, the test code around it need not be: half the time to build.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  target_link_libraries(${name} PRIVATE berm_compile ${ARG_USES} ${ARG_LIBS} GTest::gtest
    GTest::gmock GTest::gtest_main)
  add_test(NAME ${label}.${name} COMMAND ${name})
  berm_test_properties(${label}.${name} ${label} "${ARG_TIMEOUT}" "${ARG_RESOURCE}")
endfunction()

# add_berm_script_test(NAME COMMAND … [TIMEOUT s] [RESOURCE lock]): exit 77 is a skip, which must
# say why.
function(add_berm_script_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;RESOURCE" "COMMAND" ${ARGN})
  berm_test_label(label)
  add_test(NAME ${label}.${name} COMMAND ${ARG_COMMAND})
  berm_test_properties(${label}.${name} ${label} "${ARG_TIMEOUT}" "${ARG_RESOURCE}")
endfunction()

function(berm_test_label out)
  file(RELATIVE_PATH relative "${CMAKE_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REGEX REPLACE "/.*" "" label "${relative}")
  set(${out} ${label} PARENT_SCOPE)
endfunction()

function(berm_test_properties test label timeout resource)
  if(NOT timeout)
    set(timeout 300)
  endif()
  set_tests_properties(${test} PROPERTIES LABELS ${label} TIMEOUT ${timeout} SKIP_RETURN_CODE 77
    ENVIRONMENT "BERM_SOURCE=${CMAKE_SOURCE_DIR};BERM_BUILD=${CMAKE_BINARY_DIR}")
  if(CMAKE_CROSSCOMPILING)
    # Tests that qemu-user cannot run skip themselves by it.
    list(GET CMAKE_CROSSCOMPILING_EMULATOR 0 emulator)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "BERM_EMULATOR=${emulator}")
  endif()
  if(resource)
    set_tests_properties(${test} PROPERTIES RESOURCE_LOCK ${resource})
  endif()
endfunction()

# add_berm_fuzz(NAME SOURCE f.cpp [USES …]): a libFuzzer target over one parser; its corpus is
# tests/fuzz/corpus/NAME. With BERM_FUZZ off the corpus is still replayed, by a plain driver, in
# every build.
function(add_berm_fuzz name)
  cmake_parse_arguments(ARG "" "SOURCE" "USES" ${ARGN})
  set(corpus "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  if(BERM_FUZZ)
    add_executable(${name} ${ARG_SOURCE})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name} COMMAND ${name} -max_total_time=60 -max_len=65536 -rss_limit_mb=1024
             "${CMAKE_BINARY_DIR}/corpus/${name}" "${corpus}")
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/corpus/${name}")
  else()
    add_executable(${name} ${ARG_SOURCE} "${CMAKE_SOURCE_DIR}/tests/fuzz/replay_corpus.cpp")
    add_test(NAME fuzz.${name} COMMAND ${name} "${corpus}")
  endif()
  target_link_libraries(${name} PRIVATE berm_compile ${ARG_USES})
  berm_test_properties(fuzz.${name} fuzz 180 "")
endfunction()

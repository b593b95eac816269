# SPDX-License-Identifier: Apache-2.0
# BERM_BUILD_DATE: the begin of the day (UTC) of the last commit, seconds since 1970, so that the
# same source gives the same program; of a source archive: SOURCE_DATE_EPOCH, else today. No
# satellite time before it is believed.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(date "$ENV{SOURCE_DATE_EPOCH}")
else()
  execute_process(COMMAND git log -1 --format=%ct WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
                  OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT date MATCHES "^[0-9]+$")
  string(TIMESTAMP date "%s" UTC)
endif()
math(EXPR BERM_BUILD_DATE "${date} / 86400 * 86400")

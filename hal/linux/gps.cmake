# SPDX-License-Identifier: Apache-2.0
# The position feeds (libgps) are a module, loaded when a receiver is configured:
# lib/berm/berm-gps.so. Tests link berm_hal_linux_gps directly.
target_sources(berm_hal_linux PRIVATE position_feed.cpp)
add_berm_library(berm_hal_linux_gps SOURCES gpsd_feed.cpp gpsd_report.cpp
                 USES berm_hal_linux LIBS PkgConfig::GPS)

add_library(berm_gps_module MODULE gps_module.cpp)
target_link_libraries(berm_gps_module PRIVATE berm_hal_linux_gps)
# Only the entry and the build id are seen from outside; --as-needed leaves libmosquitto out.
target_link_options(berm_gps_module PRIVATE -Wl,--exclude-libs,ALL -Wl,--as-needed)
set_target_properties(berm_gps_module PROPERTIES PREFIX "" OUTPUT_NAME berm-gps
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/berm" CXX_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON)
install(TARGETS berm_gps_module LIBRARY DESTINATION lib/berm)

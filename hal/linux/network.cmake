# SPDX-License-Identifier: Apache-2.0
# MQTT (libmosquitto, libssl) is part of berm_hal_linux; HTTP (libcurl) is a module, loaded when
# it is configured: lib/berm/berm-http.so. Tests link berm_hal_linux_http directly.
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
target_sources(berm_hal_linux PRIVATE
  mqtt_client.cpp mqtt_connection.cpp mqtt_tls.cpp name_lookup.cpp socket_bytes.cpp http_client.cpp)
target_link_libraries(berm_hal_linux PRIVATE PkgConfig::MOSQUITTO PkgConfig::SSL Threads::Threads)

add_berm_library(berm_hal_linux_http SOURCES curl_client.cpp curl_transfer.cpp
                 USES berm_hal_linux LIBS PkgConfig::CURL)

add_library(berm_http_module MODULE curl_module.cpp)
target_link_libraries(berm_http_module PRIVATE berm_hal_linux_http)
# Only the entry and the build id are seen from outside; --as-needed leaves libmosquitto out.
target_link_options(berm_http_module PRIVATE -Wl,--exclude-libs,ALL -Wl,--as-needed)
set_target_properties(berm_http_module PROPERTIES PREFIX "" OUTPUT_NAME berm-http
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/berm" CXX_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON)
install(TARGETS berm_http_module LIBRARY DESTINATION lib/berm)

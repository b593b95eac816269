# SPDX-License-Identifier: Apache-2.0
# The simulated network, its HTTP and MQTT clients and the servers they talk to.
add_berm_library(berm_hal_sim_network
  SOURCES network.cpp http_client.cpp flume_server.cpp mqtt_client.cpp mqtt_broker.cpp
  USES berm_hal)
get_target_property(kind berm_hal_sim TYPE)
if(kind STREQUAL "INTERFACE_LIBRARY")
  target_link_libraries(berm_hal_sim INTERFACE berm_hal_sim_network)
else()
  target_link_libraries(berm_hal_sim PUBLIC berm_hal_sim_network)
endif()

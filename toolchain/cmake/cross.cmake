# SPDX-License-Identifier: Apache-2.0
# CMake's toolchain file for the architectures Berm is built for on an amd64 machine. The preset
# says which (BERM_CROSS); toolchain/cross makes the sysroot this file points everything at, so
# that no library of the host is ever found. Tests run under qemu-user, from the same sysroot.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BERM_CROSS)
if(BERM_CROSS STREQUAL "arm64")
  set(CMAKE_SYSTEM_PROCESSOR aarch64)
  set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
  set(berm_emulator qemu-aarch64-static)
else()
  message(FATAL_ERROR "BERM_CROSS is arm64, not '${BERM_CROSS}'")
endif()
set(CMAKE_SYSTEM_NAME Linux)
get_filename_component(CMAKE_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../../build/sysroot/${BERM_CROSS}"
                       ABSOLUTE)
if(NOT EXISTS "${CMAKE_SYSROOT}")
  message(FATAL_ERROR "there is no ${CMAKE_SYSROOT}; toolchain/cross ${BERM_CROSS} makes it")
endif()
set(CMAKE_C_COMPILER ${CMAKE_LIBRARY_ARCHITECTURE}-gcc)
set(CMAKE_CXX_COMPILER ${CMAKE_LIBRARY_ARCHITECTURE}-g++)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_PATH} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${CMAKE_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig")

find_program(BERM_EMULATOR ${berm_emulator} REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR "${BERM_EMULATOR};-L;${CMAKE_SYSROOT}")

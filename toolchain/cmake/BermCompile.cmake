# SPDX-License-Identifier: Apache-2.0
# How every target of the project is compiled. No module sets a flag of its own.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_SKIP_BUILD_RPATH OFF)

find_program(BERM_CCACHE ccache)
if(BERM_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${BERM_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${BERM_CCACHE}")
endif()

add_library(berm_compile INTERFACE)
target_include_directories(berm_compile INTERFACE "${CMAKE_SOURCE_DIR}"
  "${CMAKE_SOURCE_DIR}/hal/include"
                                                  "${CMAKE_BINARY_DIR}/generated")
# -ffp-contract=off: the same input gives the same bytes on every architecture.
target_compile_options(berm_compile INTERFACE
  -Wall -Wextra -Wshadow -Wundef -Wnon-virtual-dtor -Wold-style-cast -Wconversion -Wsign-conversion
  -Wno-missing-field-initializers -Werror -ffp-contract=off -fno-math-errno
  -fstack-protector-strong)
# g++ 12 sees an overlap in "text" + std::string where there is none (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(berm_compile INTERFACE -Wno-restrict)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns of strings that are initialised, once it has inlined enough of them.
  target_compile_options(berm_compile INTERFACE -Wno-maybe-uninitialized)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(berm_compile INTERFACE -ffunction-sections -fdata-sections)
  target_compile_definitions(berm_compile INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(berm_compile INTERFACE -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro,-z,now)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  # Runs on kernels with pages of 4 and 16 kB, and files need no holes for pages of 64 kB.
  add_link_options(-Wl,-z,max-page-size=16384)
endif()
if(BERM_SANITIZE)
  target_compile_options(berm_compile INTERFACE -fsanitize=${BERM_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(berm_compile INTERFACE -fsanitize=${BERM_SANITIZE})
endif()
if(BERM_COVERAGE)
  target_compile_options(berm_compile INTERFACE --coverage)
  target_link_options(berm_compile INTERFACE --coverage)
endif()
if(BERM_FUZZ)
  target_compile_options(berm_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()

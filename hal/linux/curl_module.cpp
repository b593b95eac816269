// SPDX-License-Identifier: Apache-2.0
// The entry of the module berm-http.so (see http_client.hpp).
#include "hal/linux/curl_client.hpp"
#include "hal/linux/http_client.hpp"
#include "hal/linux/module.hpp"

BERM_MODULE_BUILD_ID;

extern "C" [[gnu::visibility("default")]] void berm_http_client_create(
    berm::hal::EpollLoop& loop, berm::Result<std::unique_ptr<berm::hal::HttpClient>>& client);

void berm_http_client_create(berm::hal::EpollLoop& loop,
                             berm::Result<std::unique_ptr<berm::hal::HttpClient>>& client) {
  client = berm::hal::make_curl_client(loop);
}

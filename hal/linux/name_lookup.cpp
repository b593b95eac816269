// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/name_lookup.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <mutex>
#include <system_error>
#include <thread>

namespace berm::hal {

struct NameLookup::State {
  std::mutex mutex;
  Loop* loop = nullptr;  // nullptr: nobody waits any more; guarded
  Done done;             // loop thread only
};

namespace {

bool is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

Result<NameLookup::Addresses> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) {
    const bool unknown = code == EAI_NONAME || code == EAI_NODATA;
    return fail(unknown ? ErrorCode::not_found : ErrorCode::unavailable,
                "resolving " + host + ": " + ::gai_strerror(code), code);
  }
  NameLookup::Addresses addresses;
  for (const addrinfo* one = found; one != nullptr && addresses.size() < kMaxAddresses;
       one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return fail(ErrorCode::not_found, "resolving " + host + ": no address");
  return addresses;
}

void hand_over(const std::shared_ptr<NameLookup::State>& state,
               Result<NameLookup::Addresses> result) {
  // Posting under the lock: the owner takes it before it lets the loop go.
  const std::lock_guard lock(state->mutex);
  if (state->loop == nullptr) return;
  state->loop->post([state, result = std::move(result)]() mutable {
    const auto done = std::exchange(state->done, nullptr);
    if (done) done(std::move(result));
  });
}

}  // namespace

NameLookup::~NameLookup() {
  const std::lock_guard lock(state_->mutex);
  state_->loop = nullptr;
  state_->done = nullptr;
}

NameLookups::NameLookups(Loop& loop)
    : loop_(loop), running_(std::make_shared<std::atomic<int>>(0)) {}

std::unique_ptr<NameLookup> NameLookups::start(const std::string& host, NameLookup::Done done) {
  auto state = std::make_shared<NameLookup::State>();
  state->loop = &loop_;
  state->done = std::move(done);
  auto handle = std::make_unique<NameLookup>(state);
  if (is_numeric(host)) {
    hand_over(state, NameLookup::Addresses{host});
    return handle;
  }
  if (running_->fetch_add(1) >= kMaxNameLookups) {
    running_->fetch_sub(1);
    hand_over(state, fail(ErrorCode::unavailable,
                          "resolving " + host + ": earlier lookups have not ended yet"));
    return handle;
  }
  try {
    std::thread([state, host, running = running_] {
      auto result = resolve(host);
      running->fetch_sub(1);
      hand_over(state, std::move(result));
    }).detach();
  } catch (const std::system_error& error) {
    running_->fetch_sub(1);
    hand_over(state, fail(ErrorCode::unavailable,
                          "resolving " + host + ": no thread: " + error.code().message()));
  }
  return handle;
}

}  // namespace berm::hal

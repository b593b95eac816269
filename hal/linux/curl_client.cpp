// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/curl_client.hpp"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "hal/base/assert.hpp"
#include "hal/linux/curl_transfer.hpp"
#include "hal/linux/socket_bytes.hpp"

namespace berm::hal {
namespace {

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(EpollLoop& loop) : loop_(loop), timer_(loop), kick_(loop), resume_(loop) {}
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;
  ~CurlClient() override;

  Result<void> open();
  HttpRequestId send(HttpRequest request, Done done) override;
  void cancel(HttpRequestId id) override;
  Status status() const override;

 private:
  struct Finished {
    HttpRequestId id;
    Done done;
    Result<HttpAnswer> result;
  };

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long delay_ms, void* self);
  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address);
  static int on_close(void* self, curl_socket_t fd);

  void watch(curl_socket_t fd, int what);
  void act(curl_socket_t fd, int events);
  void settle();
  void start(std::unique_ptr<CurlTransfer> transfer);
  void collect();
  void drop_cancelled();
  void plan_resume();
  void resume();
  void finish(std::unique_ptr<CurlTransfer> transfer, Result<HttpAnswer> result);
  void deliver();

  EpollLoop& loop_;
  CURLM* multi_ = nullptr;
  bool in_curl_ = false;
  HttpRequestId last_id_ = 0;
  std::unordered_map<HttpRequestId, std::unique_ptr<CurlTransfer>> transfers_;
  std::vector<std::unique_ptr<CurlTransfer>> waiting_;  // sent from within libcurl's callbacks
  std::deque<Finished> finished_;
  std::unordered_map<curl_socket_t, FdWatch> watches_;
  std::unordered_set<curl_socket_t> sockets_;
  SocketBytes closed_bytes_;
  std::uint64_t requests_ = 0;
  Timer timer_;
  Timer kick_;
  Timer resume_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

CurlClient::~CurlClient() {
  BERM_ASSERT(!in_curl_);
  *is_alive_ = false;
  for (const auto& [id, transfer] : transfers_) curl_multi_remove_handle(multi_, transfer->easy());
  transfers_.clear();
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
}

Result<void> CurlClient::open() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return fail(ErrorCode::unavailable, "HTTP: libcurl does not start");
  }
  multi_ = curl_multi_init();
  if (multi_ == nullptr) return fail(ErrorCode::unavailable, "HTTP: no memory");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlClient::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlClient::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  std::signal(SIGPIPE, SIG_IGN);
  return {};
}

HttpRequestId CurlClient::send(HttpRequest request, Done done) {
  const HttpRequestId id = ++last_id_;
  ++requests_;
  auto transfer = std::make_unique<CurlTransfer>(id, std::move(request), std::move(done));
  if (transfers_.size() + waiting_.size() >= kMaxHttpRequests) {
    finish(std::move(transfer), fail(ErrorCode::full, "HTTP: too many requests at a time"));
  } else if (in_curl_) {
    waiting_.push_back(std::move(transfer));
  } else {
    start(std::move(transfer));
  }
  return id;
}

void CurlClient::start(std::unique_ptr<CurlTransfer> transfer) {
  auto prepared = transfer->prepare();
  if (!prepared) {
    finish(std::move(transfer), fail(std::move(prepared.error())));
    return;
  }
  CURL* easy = transfer->easy();
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlClient::on_open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlClient::on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  const CURLMcode code = curl_multi_add_handle(multi_, easy);  // asks for a timer, does no I/O
  if (code != CURLM_OK) {
    finish(std::move(transfer), fail(ErrorCode::unavailable, curl_multi_strerror(code)));
    return;
  }
  transfers_.emplace(transfer->id(), std::move(transfer));
}

void CurlClient::cancel(HttpRequestId id) {
  std::erase_if(finished_, [id](const Finished& one) { return one.id == id; });
  std::erase_if(waiting_, [id](const auto& one) { return one->id() == id; });
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  found->second->mark_cancelled();
  if (in_curl_) return;  // drop_cancelled takes it out
  curl_multi_remove_handle(multi_, found->second->easy());
  transfers_.erase(found);
}

int CurlClient::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  static_cast<CurlClient*>(self)->watch(fd, what);
  return 0;
}

void CurlClient::watch(curl_socket_t fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    watches_.erase(fd);
    return;
  }
  const FdInterest interest{.read = (what & CURL_POLL_IN) != 0,
                            .write = (what & CURL_POLL_OUT) != 0};
  const auto found = watches_.find(fd);
  if (found != watches_.end()) {
    found->second.change(interest);
    return;
  }
  watches_.emplace(fd, loop_.watch(fd, interest, [this, fd](FdEvents events) {
    const int mask = (events.readable ? CURL_CSELECT_IN : 0) |
                     (events.writable ? CURL_CSELECT_OUT : 0) |
                     (events.failed ? CURL_CSELECT_ERR : 0);
    act(fd, mask);
  }));
}

int CurlClient::on_timer(CURLM*, long delay_ms, void* self) {
  auto& client = *static_cast<CurlClient*>(self);
  if (delay_ms < 0) {
    client.timer_.cancel();
  } else {
    client.timer_.after(Milliseconds{delay_ms}, [&client] { client.act(CURL_SOCKET_TIMEOUT, 0); });
  }
  return 0;
}

curl_socket_t CurlClient::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  static_cast<CurlClient*>(self)->sockets_.insert(fd);
  return fd;
}

int CurlClient::on_close(void* self, curl_socket_t fd) {
  auto& client = *static_cast<CurlClient*>(self);
  client.watches_.erase(fd);
  if (client.sockets_.erase(fd) > 0) client.closed_bytes_ += bytes_of_socket(fd);
  return ::close(fd);
}

void CurlClient::act(curl_socket_t fd, int events) {
  int running = 0;
  in_curl_ = true;
  curl_multi_socket_action(multi_, fd, events, &running);
  in_curl_ = false;
  settle();
}

// What libcurl's callbacks could not do: take handles out, put new ones in, tell the owners.
void CurlClient::settle() {
  drop_cancelled();
  collect();
  for (auto& transfer : std::exchange(waiting_, {})) start(std::move(transfer));
  plan_resume();
  deliver();
}

// Those that had their share of this turn go on in the next one.
void CurlClient::plan_resume() {
  const bool is_any =
      std::ranges::any_of(transfers_, [](const auto& entry) { return entry.second->is_paused(); });
  if (is_any) resume_.after(Microseconds{0}, [this] { resume(); });
}

void CurlClient::resume() {
  in_curl_ = true;
  for (const auto& [id, transfer] : transfers_) {
    if (transfer->is_paused()) transfer->resume();
  }
  in_curl_ = false;
  settle();
}

void CurlClient::drop_cancelled() {
  std::erase_if(transfers_, [this](const auto& entry) {
    if (!entry.second->is_cancelled()) return false;
    curl_multi_remove_handle(multi_, entry.second->easy());
    return true;
  });
}

void CurlClient::collect() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    CurlTransfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi_, message->easy_handle);
    auto node = transfers_.extract(transfer->id());
    BERM_ASSERT(!node.empty());
    auto result = transfer->conclude(code);
    finish(std::move(node.mapped()), std::move(result));
  }
}

void CurlClient::finish(std::unique_ptr<CurlTransfer> transfer, Result<HttpAnswer> result) {
  finished_.push_back(Finished{transfer->id(), transfer->take_done(), std::move(result)});
  kick_.after(Microseconds{0}, [this] { deliver(); });
}

void CurlClient::deliver() {
  const auto is_alive = is_alive_;
  // Those that callbacks add wait for the next turn.
  for (std::size_t count = finished_.size(); count > 0; --count) {
    if (finished_.empty()) break;
    Finished one = std::move(finished_.front());
    finished_.pop_front();
    if (one.done) one.done(std::move(one.result));
    if (!*is_alive) return;
  }
  if (finished_.empty()) {
    kick_.cancel();
  } else {
    kick_.after(Microseconds{0}, [this] { deliver(); });
  }
}

Status CurlClient::status() const {
  SocketBytes bytes = closed_bytes_;
  for (const curl_socket_t fd : sockets_) bytes += bytes_of_socket(fd);
  Status status("http");
  status.set("bytes_sent", bytes.sent);
  status.set("bytes_received", bytes.received);
  status.set("requests", requests_);
  status.set("open_connections", sockets_.size());
  return status;
}

}  // namespace

Result<std::unique_ptr<HttpClient>> make_curl_client(EpollLoop& loop) {
  auto client = std::make_unique<CurlClient>(loop);
  BERM_CHECK(client->open());
  return client;
}

}  // namespace berm::hal

// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an operating Error (cable out, disk full, bad document). A broken invariant
// is not an Error but a BERM_ASSERT. Errors gain context on their way up (`with_context`) and are
// logged once, where they are handled. Any thread; values only.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace berm {

enum class ErrorCode {
  invalid,      // the input is wrong: a document, an option, a frame
  not_found,    // a file, key, device, host is not there
  exists,       // taken: a port, a name, a lock
  permission,   // refused by the system
  unavailable,  // not now: no connection, device gone, busy
  timeout,      // no answer in time
  full,         // no space, quota or queue reached
  io,           // the disk or device failed
  damaged,      // what was read back is not what can have been written
  unsupported,  // not on this machine, board or build
  closed,       // ended by us or by the peer
};

std::string_view name_of(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::invalid;
  std::string text;      // one line for a person; starts in lower case, no full stop
  int system_error = 0;  // errno or the library's own number; 0: none

  // "opening /var/lib/berm: permission denied"
  Error with_context(std::string_view context) && {
    text.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> fail(ErrorCode code, std::string text, int system_error = 0) {
  return std::unexpected<Error>(Error{code, std::move(text), system_error});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

// An Error from errno: `context: strerror(number)` with the matching code.
Error system_error(std::string_view context, int number);

}  // namespace berm

#define BERM_CONCAT_INNER(a, b) a##b
#define BERM_CONCAT(a, b) BERM_CONCAT_INNER(a, b)

// BERM_TRY(auto value, expression): returns the error to the caller, or goes on with the value.
#define BERM_TRY(declaration, expression)                                     \
  auto BERM_CONCAT(berm_try_, __LINE__) = (expression);                       \
  if (!BERM_CONCAT(berm_try_, __LINE__)) {                                    \
    return ::berm::fail(std::move(BERM_CONCAT(berm_try_, __LINE__).error())); \
  }                                                                           \
  declaration = std::move(*BERM_CONCAT(berm_try_, __LINE__))

// BERM_CHECK(expression): the same for a Result<void>.
#define BERM_CHECK(expression)                                                         \
  do {                                                                                 \
    auto berm_check_result = (expression);                                             \
    if (!berm_check_result) return ::berm::fail(std::move(berm_check_result.error())); \
  } while (false)

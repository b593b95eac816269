// SPDX-License-Identifier: Apache-2.0
#include "hal/base/result.hpp"

#include <cctype>
#include <cerrno>
#include <system_error>

namespace berm {
namespace {

ErrorCode code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EEXIST:
    case EADDRINUSE:
      return ErrorCode::exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::permission;
    case EAGAIN:
    case EBUSY:
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::unavailable;
    case ETIMEDOUT:
      return ErrorCode::timeout;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::full;
    case EINVAL:
    case ENAMETOOLONG:
    case EISDIR:
    case ENOTEMPTY:
      return ErrorCode::invalid;
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case ENOTTY:
      return ErrorCode::unsupported;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
    case ECANCELED:
      return ErrorCode::closed;
    default:
      return ErrorCode::io;
  }
}

}  // namespace

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::exists:
      return "exists";
    case ErrorCode::permission:
      return "permission";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::full:
      return "full";
    case ErrorCode::io:
      return "io";
    case ErrorCode::damaged:
      return "damaged";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::closed:
      return "closed";
  }
  return "unknown";
}

Error system_error(std::string_view context, int number) {
  std::string reason = std::generic_category().message(number);
  if (!reason.empty()) {
    const auto first = static_cast<unsigned char>(reason.front());
    reason.front() = static_cast<char>(std::tolower(first));
  }
  return Error{code_of_errno(number), std::string(context) + ": " + reason, number};
}

}  // namespace berm

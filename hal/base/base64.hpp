// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 §4, with padding). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berm {

std::string base64(std::string_view bytes);
// Strict: nothing for white space, missing padding, characters of other alphabets, or bits that an
// encoder would have left zero. So there is one text for any bytes.
std::optional<std::string> base64_bytes(std::string_view text);

}  // namespace berm

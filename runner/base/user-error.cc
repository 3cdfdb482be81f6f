// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace esxnf
{

namespace
{

/// \return octets of the UTF-8 character that a text begins with; 0 if a terminal should not get
/// it: a broken one, or a control character (foreign octets end up in messages)
std::size_t
CharacterSize(std::string_view text)
{
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80)
    {
        return first == '\n' || (first >= 0x20 && first != 0x7f) ? 1 : 0;
    }
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    const auto continues = [](char c) { return (c & 0xc0) == 0x80; };
    const bool whole = first >= 0xc2 && first <= 0xf4 && text.size() >= size &&
                       std::all_of(text.begin() + 1, text.begin() + size, continues);
    return whole ? size : 0;
}

} // namespace

InterruptedError::InterruptedError()
    : UserError("interrupted")
{
}

NoReaderError::NoReaderError()
    : UserError("")
{
}

void
PrintError(const std::string& message) noexcept
{
    std::fflush(stdout); // keeps the order of both streams where they meet
    if (message.empty())
    {
        return;
    }
    std::fputs("esx-netflow: ", stderr);
    for (std::size_t at = 0; at < message.size();)
    {
        const std::size_t size = CharacterSize(std::string_view(message).substr(at));
        if (size > 0)
        {
            std::fwrite(&message[at], 1, size, stderr);
        }
        else
        {
            std::fprintf(stderr, "\\x%02x", static_cast<unsigned char>(message[at]));
        }
        at += std::max<std::size_t>(size, 1);
    }
    std::fputc('\n', stderr);
}

} // namespace esxnf

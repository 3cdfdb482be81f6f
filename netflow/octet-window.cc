// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/octet-window.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace netflow
{

ReadOctets
OpenOctets(const std::string& path, std::string& error)
{
    const std::shared_ptr<std::FILE> file(std::fopen(path.c_str(), "rb"), [](std::FILE* opened) {
        if (opened)
        {
            std::fclose(opened);
        }
    });
    if (!file)
    {
        error = std::strerror(errno);
        return {};
    }
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    return [file](uint8_t* to, std::size_t max) {
        const std::size_t got = std::fread(to, 1, max, file.get());
        return got == 0 && std::ferror(file.get()) ? std::ptrdiff_t{-1}
                                                   : static_cast<std::ptrdiff_t>(got);
    };
}

OctetWindow::OctetWindow(ReadOctets read)
    : m_read(std::move(read)),
      m_block(new uint8_t[SIZE])
{
}

bool
OctetWindow::ReadOn(std::size_t octets)
{
    if (m_ended)
    {
        return false;
    }
    std::memmove(m_block.get(), Get(), GetSize());
    m_end = GetSize();
    m_begin = 0;
    while (m_end < octets && !m_ended)
    {
        const std::ptrdiff_t got = m_read(m_block.get() + m_end, SIZE - m_end);
        m_ended = got <= 0;
        if (got < 0)
        {
            m_error = std::string("cannot be read: ") + std::strerror(errno);
        }
        m_end += static_cast<std::size_t>(std::max<std::ptrdiff_t>(got, 0));
    }
    return m_end >= octets;
}

bool
OctetWindow::Skip(uint64_t octets)
{
    while (octets > GetSize())
    {
        octets -= GetSize();
        Pass(GetSize());
        if (!Fetch(1))
        {
            return false;
        }
    }
    Pass(static_cast<std::size_t>(octets));
    return true;
}

} // namespace netflow

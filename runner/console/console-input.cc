// SPDX-License-Identifier: GPL-2.0-only
#include "runner/console/console-input.h"

#include "runner/base/output-file.h"

#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

constexpr int IDLE_MS = 20;
constexpr std::size_t LONGEST_LINE = 1 << 20; // more is cut there: nobody types that

} // namespace

bool
WaitForInput(const KeyCatcher& keys, const ConsoleInput::Idle& idle, bool& wake)
{
    for (;;)
    {
        if (keys.IsPending())
        {
            return false;
        }
        pollfd input = {STDIN_FILENO, POLLIN, 0};
        if (poll(&input, 1, idle ? IDLE_MS : -1) > 0)
        {
            return true;
        }
        if (idle && idle())
        {
            wake = true;
            return false;
        }
    }
}

StreamInput::StreamInput(KeyCatcher& keys)
    : m_keys(keys)
{
}

bool
StreamInput::TakeLine(std::string& line)
{
    const std::size_t end = m_buffer.find('\n');
    if (end == std::string::npos && !m_atEnd && m_buffer.size() < LONGEST_LINE)
    {
        return false;
    }
    if (m_buffer.empty())
    {
        return false;
    }
    line = m_buffer.substr(0, end);
    m_buffer.erase(0, end == std::string::npos ? end : end + 1);
    return true;
}

Typed
StreamInput::Read(const std::string&, const Idle& idle)
{
    Typed typed;
    while (!TakeLine(typed.line))
    {
        bool wake = false;
        if (m_atEnd)
        {
            return typed;
        }
        if (!WaitForInput(m_keys, idle, wake))
        {
            typed.kind = wake ? Typed::Kind::WAKE : Typed::Kind::END;
            return typed;
        }
        char octets[4096];
        const ssize_t size = read(STDIN_FILENO, octets, sizeof(octets));
        if (size > 0)
        {
            m_buffer.append(octets, static_cast<std::size_t>(size));
        }
        else if (size == 0 || errno != EINTR)
        {
            m_atEnd = true;
        }
    }
    if (!typed.line.empty() && typed.line.back() == '\r')
    {
        typed.line.pop_back();
    }
    const bool isCtrlC = typed.line == "^C" || typed.line == "\x03";
    typed.kind = isCtrlC ? Typed::Kind::INTERRUPT : Typed::Kind::LINE;
    return typed;
}

void
StreamInput::Print(const std::string& line, bool error)
{
    CheckStandardOutput(); // keeps the order of both streams where they meet
    fmt::print(error ? stderr : stdout, "{}\n", line);
    CheckStandardOutput();
}

bool
StreamInput::IsTerminal() const
{
    return false;
}

} // namespace esxnf

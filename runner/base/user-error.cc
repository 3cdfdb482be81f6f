// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"

#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>

namespace esxnf
{

CommandError::CommandError(ExitCode exitCode, const std::string& message)
    : std::runtime_error(message),
      m_exitCode(exitCode)
{
}

ExitCode
CommandError::GetExitCode() const
{
    return m_exitCode;
}

void
PrintError(const std::string& message) noexcept
{
    std::fflush(stdout); // keeps the order of both streams where they meet
    if (!message.empty())
    {
        std::fprintf(stderr, "esx-netflow: %s\n", message.c_str());
    }
}

int
ToExitCode(const std::function<int()>& action)
{
    try
    {
        return action();
    }
    catch (const CommandError& error)
    {
        PrintError(error.what());
        return error.GetExitCode();
    }
    catch (const std::bad_alloc&)
    {
        PrintError("there is not enough memory for that");
    }
    catch (const std::length_error&)
    {
        PrintError("there is not enough memory for that");
    }
    catch (const std::system_error& error)
    {
        const bool isOutput = std::ferror(stdout) != 0; // fmt calls it "a file"
        if (isOutput && error.code().value() == EPIPE)
        {
            return EXIT_NO_READER;
        }
        PrintError(isOutput ? "standard output cannot be written: " + error.code().message()
                            : error.what());
        std::clearerr(stdout); // told
    }
    catch (const std::exception& error)
    {
        PrintError(error.what());
    }
    return EXIT_USAGE;
}

} // namespace esxnf

// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/exit-code.h"

#include "runner/results/summary.h"

#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>

namespace esxnf
{

ExitCode
ExitCodeOf(const UserError& error)
{
    return dynamic_cast<const NetworkError*>(&error)       ? EXIT_COLLECTOR
           : dynamic_cast<const InterruptedError*>(&error) ? EXIT_INTERRUPTED
           : dynamic_cast<const NoReaderError*>(&error)    ? EXIT_NO_READER
                                                           : EXIT_USAGE;
}

ExitCode
ExitCodeOf(const Summary& summary)
{
    switch (summary.GetVerdict())
    {
    case RunVerdict::PASS:
        return EXIT_GOOD;
    case RunVerdict::FAIL:
        return EXIT_EXPECTATION;
    case RunVerdict::UNBALANCED:
        return EXIT_RESIDUAL;
    case RunVerdict::INTERRUPTED:
        break;
    }
    return EXIT_INTERRUPTED;
}

int
ToExitCode(const std::function<int()>& action)
{
    try
    {
        return action();
    }
    catch (const UserError& error)
    {
        PrintError(error.what());
        return ExitCodeOf(error);
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

// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Errors for a user: what he did wrong, or what the machine does not let a command do. Thrown
 * anywhere below a command; commands/exit-code makes exit codes of them, Python a RunError.
 */
#ifndef ESXNF_USER_ERROR_H
#define ESXNF_USER_ERROR_H

#include <stdexcept>
#include <string>

namespace esxnf
{

/// Wrong options, scenario or input file; an output cannot be written.
class UserError : public std::runtime_error
{
  public:
    using std::runtime_error::runtime_error;
};

/// A real address cannot be resolved or opened.
class NetworkError : public UserError
{
  public:
    using UserError::UserError;
};

/// SIGINT or SIGTERM ended it.
class InterruptedError : public UserError
{
  public:
    InterruptedError();
};

/// Nobody reads standard output any more: no fault of anybody, so it has no message.
class NoReaderError : public UserError
{
  public:
    NoReaderError();
};

/// "esx-netflow: MESSAGE" on stderr, nothing if it is empty. Throws nothing: a closed standard
/// error must not hide the exit code.
void PrintError(const std::string& message) noexcept;

} // namespace esxnf

#endif // ESXNF_USER_ERROR_H

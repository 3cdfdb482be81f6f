// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CONSOLE_COMMANDS_H
#define ESX_CONSOLE_COMMANDS_H

// The commands of the service console: a table of names and functions. Private to model/: sessions
// look commands up here; every file esx-console-commands-*.cc holds a group of them.

#include "esx-console.h"
#include "model/console/esx-line-filter.h"

#include <functional>
#include <string>
#include <vector>

namespace ns3
{

class EsxVmkernelLog;

using EsxWords = std::vector<std::string>;

namespace esxconsole
{

constexpr int EXIT_GOOD = 0;
constexpr int EXIT_FAILED = 1;
constexpr int EXIT_USAGE = 2;
constexpr int EXIT_NOT_FOUND = 127; // as shells do

/// The world of a command while it runs: all that it sees and does.
struct Context
{
    EsxConsole& console;
    EsxConsoleSession& session;
    EsxHost& host;
    std::string commandLine;                     //!< as typed, expanded, words joined
    std::function<void(const std::string&)> out; //!< a line to standard output
    std::function<void(const std::string&)> err; //!< a line to standard error
    Ptr<EsxConsoleProcess> process{nullptr};     //!< set by a command that runs on; it is attached
    uint32_t pid{0};                             //!< of a net-netflow that the command started
    bool exit{false};                            //!< the session is to end

    /// Prints on standard error. \return \p status
    int Fail(int status, const std::string& message) const
    {
        err(message);
        return status;
    }
};

/// A command: exactly one of run and filter is set.
struct Command
{
    const char* name;
    const char* directories; //!< where it is found by full path, separated by blanks; "": built in
    const char* usage;       //!< its arguments
    const char* help;        //!< one line
    int (*run)(Context& context, const EsxWords& words);
    /// For commands that read files or, behind "|", lines: what to do with the lines.
    EsxFilterCommand (*filter)(const EsxWords& words);
    bool isAnswered{false}; //!< over the network: its host cannot be simulated apart
};

/// All commands, in the order of `help`.
const std::vector<Command>& GetCommands();

/// \param word how it was typed: "kill", "/bin/kill"
/// \return nullptr if unknown; \p error then says so as a shell does
const Command* FindCommand(const std::string& word, std::string& error);

/// "usage: NAME ARGUMENTS"
std::string UsageOf(const std::string& name);

/// \return false unless the whole text is a decimal number in [low, high]
bool ParseNumber(const std::string& text, uint64_t low, uint64_t high, uint64_t& number);

/// \return the words with one blank between two
std::string Join(const EsxWords& words, std::size_t from = 0);

/// The one file of the host that can be read.
constexpr const char* VMKERNEL_LOG = "/var/log/vmkernel";
/// \return the log that is this file, nullptr if there is no such file
const EsxVmkernelLog* FindFile(const EsxHost& host, const std::string& path);

/// Runs the first command of a pipeline. \return its exit status, 0 if context.process runs on
int RunCommand(const Command& command, Context& context, const EsxWords& words);

// The groups
int VmkloadMod(Context& context, const EsxWords& words);
int VmkloadApp(Context& context, const EsxWords& words);
int NetNetflow(Context& context, const EsxWords& words);
int EsxcfgVswitch(Context& context, const EsxWords& words);
int EsxcfgVmknic(Context& context, const EsxWords& words);
int EsxcfgNics(Context& context, const EsxWords& words);
int Vmkping(Context& context, const EsxWords& words);
int Esxtop(Context& context, const EsxWords& words);
int Ps(Context& context, const EsxWords& words);
int Kill(Context& context, const EsxWords& words);
int Jobs(Context& context, const EsxWords& words);
int Foreground(Context& context, const EsxWords& words);
int Echo(Context& context, const EsxWords& words);
int Help(Context& context, const EsxWords& words);
int Exit(Context& context, const EsxWords& words);
int True(Context& context, const EsxWords& words);
int False(Context& context, const EsxWords& words);

} // namespace esxconsole

} // namespace ns3

#endif // ESX_CONSOLE_COMMANDS_H

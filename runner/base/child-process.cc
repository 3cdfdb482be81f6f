// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/child-process.h"

#include "runner/base/user-error.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <regex>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace esxnf
{

std::string
ChildProcess::Find(const std::string& program)
{
    const char* path = std::getenv("PATH");
    std::istringstream folders(path ? path : "/usr/bin");
    for (std::string folder; std::getline(folders, folder, ':');)
    {
        const std::string beside = std::regex_replace(folder, std::regex("/bin/?$"), "/sbin");
        for (const std::string& place : {folder, beside})
        {
            std::string candidate = fmt::format("{}/{}", place, program);
            if (!place.empty() && access(candidate.c_str(), X_OK) == 0)
            {
                return candidate;
            }
        }
    }
    return "";
}

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::string& outputFile,
                           const std::string& errorFile)
{
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& argument : command)
    {
        arguments.push_back(const_cast<char*>(argument.c_str())); // posix_spawn changes nothing
    }
    arguments.push_back(nullptr);
    constexpr int WRITE = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, outputFile.c_str(), WRITE, 0600);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, errorFile.c_str(), WRITE, 0600);
    const int error =
        posix_spawn(&m_pid, arguments.front(), &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0)
    {
        throw UserError(
            fmt::format("{} cannot be started: {}", command.front(), std::strerror(error)));
    }
}

ChildProcess::~ChildProcess()
{
    if (!m_exitStatus)
    {
        kill(m_pid, SIGKILL);
        Wait();
    }
}

std::optional<int>
ChildProcess::Poll()
{
    int status = 0;
    if (!m_exitStatus && waitpid(m_pid, &status, WNOHANG) == m_pid)
    {
        Note(status);
    }
    return m_exitStatus;
}

int
ChildProcess::Wait()
{
    int status = 0;
    while (!m_exitStatus)
    {
        if (waitpid(m_pid, &status, 0) == m_pid)
        {
            Note(status);
        }
        else if (errno != EINTR)
        {
            m_exitStatus = 127; // somebody else has waited for it
        }
    }
    return *m_exitStatus;
}

void
ChildProcess::Note(int status)
{
    m_exitStatus = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace esxnf

// SPDX-License-Identifier: GPL-2.0-only
#include "runner/python-module.h"

#include "runner/cli.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

namespace fs = std::filesystem;

/// The first of some folders beside this program in which a module is; empty: none.
std::string
FindModule(const std::string& module, const std::vector<std::string>& places)
{
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    for (const std::string& place : places)
    {
        const fs::path folder = (program.parent_path() / place).lexically_normal();
        if (fs::exists(folder / module / "__main__.py", error))
        {
            return folder.string();
        }
    }
    return "";
}

void
PutBeforePythonPath(const std::string& folder)
{
    const char* const path = std::getenv("PYTHONPATH");
    const std::string longer = path && *path ? folder + ":" + path : folder;
    setenv("PYTHONPATH", longer.c_str(), 1);
}

} // namespace

int
RunPythonModule(const std::string& module,
                const std::vector<std::string>& arguments,
                const std::vector<std::string>& places)
{
    const std::string folder = FindModule(module, places);
    if (!folder.empty())
    {
        PutBeforePythonPath(folder);
    }
    std::vector<std::string> words = {"python3", "-B", "-m", module};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words)
    {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, "python3", nullptr, nullptr, argv.data(), environ);
    if (error == ENOENT)
    {
        throw CommandError(
            EXIT_USAGE,
            "this command needs Python: apt-get install --no-install-recommends python3");
    }
    if (error != 0)
    {
        throw CommandError(EXIT_USAGE,
                           fmt::format("python3 cannot be run: {}", std::strerror(error)));
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    {
    }
    if (!WIFEXITED(status))
    {
        throw CommandError(EXIT_USAGE, fmt::format("python3 was ended by a signal"));
    }
    return WEXITSTATUS(status);
}

} // namespace esxnf

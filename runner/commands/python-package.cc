// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/python-package.h"

#include "runner/commands/cli.h"
#include "runner/scenario/data-files.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef ESX_NETFLOW_PYTHON_EXECUTABLE
#define ESX_NETFLOW_PYTHON_EXECUTABLE "python3"
#endif

namespace esxnf
{

namespace
{

const char* const APT_LINE = "on Debian: apt-get install python3 python3-jinja2 python3-matplotlib "
                             "python3-networkx python3-numpy python3-pandas python3-tqdm";

/// Looks for what is needed without importing it. Prints what is missing, if anything is.
const char* const PROBE =
    "import importlib.util, sys\n"
    "wanted = 'numpy pandas matplotlib jinja2 networkx tqdm esx_netflow'.split()\n"
    "missing = [name for name in wanted if importlib.util.find_spec(name) is None]\n"
    "sys.exit(77 if missing == ['esx_netflow'] else 78 if missing else 0)\n";

/// The package's command line. A missing module is an error like any other, not a traceback.
const char* const LAUNCH = "import sys\n"
                           "try:\n"
                           "    from esx_netflow.__main__ import main\n"
                           "except ImportError as error:\n"
                           "    print('esx-netflow:', error.__cause__ or error, file=sys.stderr)\n"
                           "    sys.exit(2)\n"
                           "sys.exit(main())\n";

constexpr int NO_PACKAGE = 77;
constexpr int NO_LIBRARIES = 78;
constexpr int NO_INTERPRETER = -1;

/// Puts a folder that holds modules, if there is one, before PYTHONPATH.
void
OfferModules(const std::string& folder)
{
    if (folder.empty())
    {
        return;
    }
    const char* const others = std::getenv("PYTHONPATH");
    const std::string path = folder + (others && *others ? fmt::format(":{}", others) : "");
    setenv("PYTHONPATH", path.c_str(), 1);
}

/// The interpreter that the package was built for, if no other one is asked for.
const char*
Interpreter()
{
    const char* const asked = std::getenv("ESX_NETFLOW_PYTHON");
    return asked && *asked ? asked : ESX_NETFLOW_PYTHON_EXECUTABLE;
}

/// \return the interpreter and its arguments, as exec takes them; they point into 'arguments'
std::vector<char*>
CommandLine(std::vector<std::string>& arguments)
{
    arguments.insert(arguments.begin(), Interpreter());
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments)
    {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    return argv;
}

/// \return the exit code, or NO_INTERPRETER
int
SpawnAndWait(std::vector<std::string> arguments)
{
    const std::vector<char*> argv = CommandLine(arguments);
    pid_t child = 0;
    if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0)
    {
        return NO_INTERPRETER;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    {
    }
    if (WIFSIGNALED(status))
    {
        return WTERMSIG(status) == SIGINT ? EXIT_INTERRUPTED : 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

std::vector<std::string>
PackageCall(const std::vector<std::string>& arguments)
{
    std::vector<std::string> words{"-c", LAUNCH};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

} // namespace

void
RequirePython()
{
    OfferModules(FindBesideProgram({"python"})); // where both were built together
    switch (SpawnAndWait({"-c", PROBE}))
    {
    case 0:
        return;
    case NO_PACKAGE:
        throw UserError(fmt::format("the Python package esx_netflow is not installed for '{}': "
                                    "./setup build, or pip install .",
                                    Interpreter()));
    case NO_LIBRARIES:
        throw UserError(fmt::format("Python packages are missing; {}", APT_LINE));
    default:
        throw UserError(fmt::format("there is no '{}'; {}", Interpreter(), APT_LINE));
    }
}

std::string
GetProgram()
{
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
    return program.filename() == "esx-netflow" ? program.string() : "";
}

void
ShareMalloc()
{
    Dl_info library;
    const bool isFound = dladdr(dlsym(RTLD_DEFAULT, "malloc"), &library) != 0;
    if (isFound && std::strstr(library.dli_fname, "tcmalloc"))
    {
        setenv("LD_PRELOAD", library.dli_fname, 0);
    }
}

void
BecomePython(const std::vector<std::string>& arguments)
{
    std::fflush(stdout);
    std::vector<std::string> words = PackageCall(arguments);
    const std::vector<char*> argv = CommandLine(words);
    execvp(argv[0], argv.data());
    throw UserError(fmt::format("there is no '{}'; {}", argv[0], APT_LINE));
}

int
RunPython(const std::vector<std::string>& arguments)
{
    std::fflush(stdout);
    return SpawnAndWait(PackageCall(arguments));
}

int
RunOracle(const std::vector<std::string>& arguments)
{
    if (!std::filesystem::exists(GetDataFolder() + "/oracle/__main__.py"))
    {
        throw UserError("the Python module 'oracle' is not installed beside this program");
    }
    OfferModules(GetDataFolder());
    std::fflush(stdout);
    std::vector<std::string> words{"-B", "-m", "oracle"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const int code = SpawnAndWait(words);
    if (code == NO_INTERPRETER)
    {
        throw UserError(fmt::format("there is no '{}'; on Debian: apt-get install "
                                    "--no-install-recommends python3",
                                    Interpreter()));
    }
    return code;
}

} // namespace esxnf

// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/data-files.h"

#include <filesystem>

namespace esxnf
{

namespace fs = std::filesystem;

namespace
{

std::string&
DataFolder()
{
    static std::string folder = FindBesideProgram({"share/esx-netflow", "../share/esx-netflow"});
    return folder;
}

} // namespace

std::string
FindBesideProgram(const std::vector<std::string>& places)
{
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    for (const std::string& place : places)
    {
        const fs::path folder = (program.parent_path() / place).lexically_normal();
        if (fs::is_directory(folder, ignored))
        {
            return folder.string();
        }
    }
    return "";
}

std::string
GetDataFolder()
{
    return DataFolder();
}

void
SetDataFolder(const std::string& folder)
{
    DataFolder() = folder;
}

std::string
FindScenario(const std::string& asked, const std::string& kind)
{
    std::error_code ignored;
    if (asked.empty() || asked.find_first_of("/.") != std::string::npos ||
        fs::exists(asked, ignored))
    {
        return asked;
    }
    const std::string ours = GetDataFolder() + "/" + kind + "/" + asked + ".yaml";
    return fs::exists(ours, ignored) ? ours : asked;
}

} // namespace esxnf

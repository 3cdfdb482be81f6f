// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/shared-files.h"

#include "runner/base/output-file.h"
#include "runner/base/user-error.h"

#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

namespace esxnf
{

namespace
{

namespace fs = std::filesystem;

/// Device and inode of a file; of one that is not there yet, those of its folder, and its name.
using Identity = std::tuple<dev_t, ino_t, std::string>;

struct Known
{
    std::string what; //!< "--csv out.csv", "standard output"
    std::optional<Identity> identity;
    bool isStandard{false};
};

/// \return nothing for what can be shared
std::optional<Identity>
IdentityOf(const struct stat& status)
{
    if (S_ISCHR(status.st_mode)) // a terminal, /dev/null
    {
        return std::nullopt;
    }
    return Identity{status.st_dev, status.st_ino, ""};
}

std::optional<Identity>
IdentityOf(int descriptor)
{
    struct stat status = {};
    // One socket is a session's input and output by custom.
    return fstat(descriptor, &status) == 0 && !S_ISSOCK(status.st_mode) ? IdentityOf(status)
                                                                        : std::nullopt;
}

std::optional<Identity>
IdentityOf(const std::string& path)
{
    struct stat status = {};
    if (stat(path.c_str(), &status) == 0)
    {
        return IdentityOf(status);
    }
    const fs::path target = BehindLinks(path);
    const fs::path folder = target.has_parent_path() ? target.parent_path() : ".";
    if (stat(folder.c_str(), &status) != 0)
    {
        return std::nullopt; // opening it will tell why
    }
    return Identity{status.st_dev, status.st_ino, target.filename().string()};
}

void
RefuseFiles(const std::string& what)
{
    throw UserError(what);
}

void
CompareWithOutputs(const Known& output, const std::vector<Known>& outputs)
{
    for (const Known& other : outputs)
    {
        if (output.isStandard && other.isStandard)
        {
            RefuseFiles(fmt::format("{} and {} are both standard output", other.what, output.what));
        }
        if (output.identity && output.identity == other.identity && !output.isStandard)
        {
            RefuseFiles(fmt::format("{} and {} are one file: they would be mixed in it",
                                    output.what,
                                    other.what));
        }
    }
}

/// Whether a path lies in a folder, whether they are there yet or not: by its own name, or by where
/// its links lead.
bool
LiesIn(const fs::path& path, const fs::path& folder)
{
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(folder, error);
    const std::string prefix = (whole.has_filename() ? whole : whole.parent_path()).string() + "/";
    const fs::path named = fs::absolute(path, error).lexically_normal();
    for (const fs::path& place :
         {fs::weakly_canonical(named.parent_path(), error) / named.filename(),
          fs::weakly_canonical(named, error)})
    {
        if ((place.string() + "/").rfind(prefix, 0) == 0)
        {
            return true;
        }
    }
    return false;
}

/// Refuses outputs in a result folder: all of it goes when new results replace it.
void
CompareWithFolders(const NamedFile& file, const std::vector<NamedFile>& folders)
{
    for (const NamedFile& folder : folders)
    {
        if (!file.path.empty() && !folder.path.empty() && file.path != "-" &&
            LiesIn(file.path, folder.path))
        {
            RefuseFiles(fmt::format("{} {} lies in {} {}, which new results replace: it would be "
                                    "destroyed",
                                    file.option,
                                    file.path,
                                    folder.option,
                                    folder.path));
        }
    }
}

} // namespace

void
RefuseSharedFiles(const std::vector<NamedFile>& inputs,
                  const std::vector<NamedFile>& outputs,
                  const std::vector<NamedFile>& folders)
{
    for (const auto* const files : {&inputs, &outputs})
    {
        for (const NamedFile& file : *files)
        {
            CompareWithFolders(file, folders);
        }
    }
    std::vector<Known> known{{"standard error", IdentityOf(STDERR_FILENO)},
                             {"standard output", IdentityOf(STDOUT_FILENO)}};
    for (const NamedFile& file : outputs)
    {
        if (file.path.empty())
        {
            continue;
        }
        const bool isStandard = IsStandardOutput(file.path);
        Known output{fmt::format("{} {}", file.option, file.path),
                     isStandard ? std::nullopt : IdentityOf(file.path),
                     isStandard};
        CompareWithOutputs(output, known);
        known.push_back(std::move(output));
    }
    for (const NamedFile& file : inputs)
    {
        const std::optional<Identity> input =
            file.path == "-" ? IdentityOf(STDIN_FILENO) : IdentityOf(file.path);
        for (const Known& output : known)
        {
            if (input && output.identity == input)
            {
                RefuseFiles(fmt::format("{} is the file that {} {} reads: it would be destroyed",
                                        output.what,
                                        file.option,
                                        file.path));
            }
        }
    }
}

} // namespace esxnf

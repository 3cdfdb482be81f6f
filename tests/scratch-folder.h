// SPDX-License-Identifier: GPL-2.0-only
// A folder for the files of one test, removed with all that is in it. Tests run at the same time,
// so none may write a file whose name another one can have: they write nowhere else.
#ifndef TESTS_SCRATCH_FOLDER_H
#define TESTS_SCRATCH_FOLDER_H

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace esxnf
{

class ScratchFolder
{
  public:
    ScratchFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "esx-netflow-XXXXXX").string();
        if (!mkdtemp(name.data()))
        {
            throw std::runtime_error("cannot make " + name);
        }
        m_path = name;
    }

    ~ScratchFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
    }

    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& GetPath() const
    {
        return m_path;
    }

    /// \return a name in the folder; nothing is made
    std::string Path(const std::string& name) const
    {
        return (m_path / name).string();
    }

  private:
    std::filesystem::path m_path;
};

} // namespace esxnf

#endif // TESTS_SCRATCH_FOLDER_H

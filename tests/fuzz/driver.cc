// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Runs a fuzz target over files, without a fuzzer: every file below the paths given, once. Findings
 * of a fuzzer stay tested by every compiler.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size);

namespace fs = std::filesystem;

namespace
{

std::vector<fs::path>
FilesBelow(const fs::path& path)
{
    std::vector<fs::path> files;
    if (fs::is_regular_file(path))
    {
        files.push_back(path);
    }
    else
    {
        for (const auto& entry : fs::recursive_directory_iterator(path))
        {
            if (entry.is_regular_file())
            {
                files.push_back(entry.path());
            }
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace

int
main(int argc, char** argv)
{
    std::size_t count = 0;
    for (int i = 1; i < argc; ++i)
    {
        for (const fs::path& file : FilesBelow(argv[i]))
        {
            std::printf("%s\n", file.c_str());
            std::fflush(stdout); // so that the last name is there if the target crashes
            std::ifstream in(file, std::ios::binary);
            const std::vector<uint8_t> content{std::istreambuf_iterator<char>(in), {}};
            LLVMFuzzerTestOneInput(content.data(), content.size());
            ++count;
        }
    }
    std::printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}

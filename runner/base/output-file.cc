// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/output-file.h"

#include "runner/base/interrupt.h"
#include "runner/base/user-error.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <regex>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace esxnf
{

namespace fs = std::filesystem;

namespace
{

constexpr std::size_t OUTPUT_BUFFER = 64U << 10;
constexpr mode_t NEW_FILE_MODE = 0666; // less what umask takes away

/// A system call, again if a signal came.
template <typename Call>
auto
Retry(Call call)
{
    auto result = call();
    while (result < 0 && errno == EINTR)
    {
        result = call();
    }
    return result;
}

[[noreturn]] void
FailStandardOutput(int error)
{
    if (error == EPIPE)
    {
        throw NoReaderError(); // 'head' has seen enough: no fault of anybody
    }
    throw UserError(fmt::format("standard output cannot be written{}{}",
                                error ? ": " : "",
                                error ? std::strerror(error) : ""));
}

} // namespace

OutputFile::OutputFile(std::string path, OutputKind kind)
    : m_path(std::move(path)),
      m_isStandard(IsStandardOutput(m_path))
{
    m_isStandard ? OpenStandardOutput() : OpenFile(kind);
}

OutputFile::~OutputFile()
{
    if (m_standard >= 0)
    {
        std::fflush(stdout);
        dup2(m_standard, STDOUT_FILENO);
        close(m_standard);
    }
    else if (m_file >= 0)
    {
        close(m_file);
    }
    if (!m_temporary.empty())
    {
        unlink(m_temporary.c_str());
    }
}

void
OutputFile::OpenStandardOutput()
{
    CheckStandardOutput();
    constexpr int FIRST_FREE = 3;
    m_standard = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE);
    if (m_standard < 0)
    {
        Fail(errno);
    }
    dup2(STDERR_FILENO, STDOUT_FILENO);
    m_file = m_standard;
}

void
OutputFile::OpenFile(OutputKind kind)
{
    m_target = BehindLinks(m_path).string();
    struct stat status = {};
    const bool exists = stat(m_target.c_str(), &status) == 0;
    if (kind == OutputKind::WHOLE && (!exists || S_ISREG(status.st_mode)))
    {
        if (exists && access(m_target.c_str(), W_OK) != 0)
        {
            Fail(errno);
        }
        OpenTemporary();
        if (exists && m_file >= 0)
        {
            fchmod(m_file, status.st_mode & 07777);
        }
    }
    if (exists && S_ISFIFO(status.st_mode))
    {
        OpenPipe();
    }
    else if (m_file < 0)
    {
        m_file = Retry([this] {
            return open(m_target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, NEW_FILE_MODE);
        });
    }
    if (m_file < 0)
    {
        Fail(errno);
    }
}

/// Waits for a reader, as open() would; but a signal ends the waiting, and does not restart it.
void
OutputFile::OpenPipe()
{
    constexpr int WAIT_MS = 50;
    while ((m_file = open(m_target.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0 &&
           errno == ENXIO)
    {
        if (InterruptCatcher::WasInterrupted())
        {
            throw InterruptedError();
        }
        poll(nullptr, 0, WAIT_MS);
    }
    fcntl(m_file, F_SETFL, O_WRONLY);
}

/// Where none can be made (a folder of somebody else, a very long name), the file is written in
/// place.
void
OutputFile::OpenTemporary()
{
    RemoveAbandoned(m_target);
    const std::string temporary = fmt::format("{}.tmp-{}", m_target, getpid());
    m_file = Retry([&temporary] {
        return open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, NEW_FILE_MODE);
    });
    if (m_file >= 0)
    {
        flock(m_file, LOCK_EX | LOCK_NB);
        m_temporary = temporary;
    }
}

void
OutputFile::Write(std::string_view octets)
{
    m_buffer.append(octets);
    if (m_buffer.size() >= OUTPUT_BUFFER)
    {
        Flush();
    }
}

void
OutputFile::Flush()
{
    for (std::size_t done = 0; done < m_buffer.size();)
    {
        const ssize_t size =
            Retry([&] { return write(m_file, m_buffer.data() + done, m_buffer.size() - done); });
        if (size < 0 && errno != EAGAIN)
        {
            const int error = errno;
            m_buffer.clear();
            Fail(error);
        }
        if (size < 0) // somebody else made this pipe non-blocking
        {
            pollfd space{m_file, POLLOUT, 0};
            poll(&space, 1, -1);
            continue;
        }
        done += static_cast<std::size_t>(size);
    }
    m_buffer.clear();
}

void
OutputFile::Close()
{
    Flush();
    // Standard output stays open for others; closing a copy tells the same errors.
    const int file = m_isStandard ? dup(m_file) : m_file;
    m_file = -1;
    if (close(file) != 0 && errno != EINTR)
    {
        Fail(errno);
    }
    if (!m_temporary.empty())
    {
        if (std::rename(m_temporary.c_str(), m_target.c_str()) != 0)
        {
            Fail(errno);
        }
        m_temporary.clear();
    }
}

void
OutputFile::Fail(int error) const
{
    if (m_isStandard)
    {
        FailStandardOutput(error);
    }
    throw UserError(fmt::format("{}: cannot be written: {}", m_path, std::strerror(error)));
}

void
ReplaceFile(const std::string& path, std::string_view text)
{
    OutputFile file(path, OutputKind::WHOLE);
    file.Write(text);
    file.Close();
}

void
WriteFile(const std::string& path, std::string_view text)
{
    OutputFile file(path, OutputKind::STREAM);
    file.Write(text);
    file.Close();
}

fs::path
BehindLinks(const std::string& path)
{
    constexpr int MAX_LINKS = 40; // as the kernel has it
    fs::path resolved = path;
    std::error_code error;
    for (int links = 0; links < MAX_LINKS && fs::is_symlink(resolved, error); ++links)
    {
        const fs::path target = fs::read_symlink(resolved, error);
        resolved = target.is_absolute() ? target : resolved.parent_path() / target;
    }
    // The links of /proc/self/fd name no path where they lead to a pipe: >(command) of a shell
    return fs::exists(path, error) && !fs::equivalent(path, resolved, error) ? fs::path(path)
                                                                             : resolved;
}

OutputKind
KindOfOutputs(const std::string& input)
{
    std::error_code error;
    return fs::is_regular_file(input, error) ? OutputKind::WHOLE : OutputKind::STREAM;
}

bool
IsStandardOutput(const std::string& path)
{
    return path == "-" || path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1";
}

void
CheckStandardOutput()
{
    errno = 0;
    bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
    if (!failed)
    {
        const int copy = dup(STDOUT_FILENO); // closing it tells what closing the last one would
        failed = copy >= 0 && close(copy) != 0 && errno != EINTR;
    }
    if (failed)
    {
        const int error = errno;
        std::clearerr(stdout);
        FailStandardOutput(error);
    }
}

void
RemoveAbandoned(const std::string& path)
{
    static const std::regex WORDS("\\.(tmp|old)-[0-9]+(-again\\.tmp-[0-9]+)?");
    const std::string name = fs::path(path).filename().string();
    const fs::path parent = fs::path(path).parent_path();
    std::error_code error;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(parent.empty() ? "." : parent, error))
    {
        const std::string other = entry.path().filename().string();
        std::smatch words;
        const std::string rest = other.rfind(name, 0) == 0 ? other.substr(name.size()) : "";
        if (!std::regex_match(rest, words, WORDS))
        {
            continue;
        }
        const int held = HoldTemporary(entry.path().string());
        if (held >= 0 && words[1] == "old" && !fs::exists(path, error))
        {
            fs::rename(entry.path(), path, error); // killed between two renames
        }
        else if (held >= 0)
        {
            fs::remove_all(entry.path(), error);
        }
        close(held);
    }
}

int
HoldTemporary(const std::string& path)
{
    const int file = Retry(
        [&path] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); });
    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0)
    {
        close(file);
        return -1;
    }
    return file;
}

} // namespace esxnf

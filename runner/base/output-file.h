// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Everything that a command writes goes through here: files and standard output are opened,
 * written, checked and closed in one way. A failure to write is a UserError that
 * names the file; its old content stays until the new file is whole.
 */
#ifndef ESXNF_OUTPUT_FILE_H
#define ESXNF_OUTPUT_FILE_H

#include <filesystem>
#include <string>
#include <string_view>

namespace esxnf
{

/// When others see what is written.
enum class OutputKind
{
    WHOLE, //!< at Close(), whole or not at all: it replaces what was there
    STREAM //!< as it is flushed
};

/// A file that is being written, or standard output ("-").
class OutputFile
{
  public:
    /**
     * Opens it. "-", and /dev/stdout as another name for it: while this object lives, all else
     * that is printed to standard output goes to standard error, so that nothing is mixed.
     */
    OutputFile(std::string path, OutputKind kind);
    /// Without Close() nothing of a WHOLE file is left.
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    void Write(std::string_view octets);

    /// Hands what is buffered to the system.
    void Flush();

    /// The last call. A device or a file of another's folder is written in place.
    void Close();

  private:
    void OpenStandardOutput();
    void OpenFile(OutputKind kind);
    void OpenPipe();
    void OpenTemporary();
    [[noreturn]] void Fail(int error) const;

    const std::string m_path;
    bool m_isStandard;
    std::string m_target;    // where it will be
    std::string m_temporary; // where it is until then; empty: there
    std::string m_buffer;
    int m_file{-1};
    int m_standard{-1}; // what standard output was
};

/// A file in one go: nobody sees it half-written, and what was there stays if it cannot be written.
void ReplaceFile(const std::string& path, std::string_view text);

/// The same where nobody looks yet, as in a folder that is put in place later.
void WriteFile(const std::string& path, std::string_view text);

/// WHOLE if what is read is a file, which ends; STREAM if others may wait for it: a pipe, nothing.
OutputKind KindOfOutputs(const std::string& input);

/// Whether a path means standard output: "-", "/dev/stdout".
bool IsStandardOutput(const std::string& path);

/// Where a path leads by its links, also where the last one leads to nothing yet.
std::filesystem::path BehindLinks(const std::string& path);

/**
 * Writes what is buffered for standard output; throws UserError if anything that was
 * printed could not be written, or one without a message (no reader) if nobody reads it any more.
 */
void CheckStandardOutput();

/**
 * Removes what killed processes left beside a path: files and folders named PATH.WORD-NUMBER (a
 * point before the name, too) that no living process holds (see HoldTemporary).
 */
void RemoveAbandoned(const std::string& path);

/// Keeps RemoveAbandoned() of other processes away. \return a descriptor: closed, it ends that
int HoldTemporary(const std::string& path);

} // namespace esxnf

#endif // ESXNF_OUTPUT_FILE_H

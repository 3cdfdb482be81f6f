// SPDX-License-Identifier: GPL-2.0-only
#include "model/results/esx-spool.h"

#include "ns3/abort.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <unistd.h>

namespace ns3
{

namespace
{

constexpr std::size_t IN_MEMORY = std::size_t{4} << 20;

/// \return a file that is gone once it is closed; -1: none
int
OpenTemporary()
{
    std::error_code error;
    std::string name = std::filesystem::temp_directory_path(error) / "esx-netflow-XXXXXX";
    const int file = error ? -1 : mkstemp(name.data());
    if (file >= 0)
    {
        unlink(name.c_str());
    }
    return file;
}

} // namespace

EsxSpool::EsxSpool()
    : m_most(IN_MEMORY)
{
}

EsxSpool::~EsxSpool()
{
    if (m_file >= 0)
    {
        close(m_file);
    }
}

uint8_t*
EsxSpool::Append(std::size_t size, Piece& piece)
{
    if (m_tail.size() + size > m_most)
    {
        Flush();
    }
    piece = {m_inFile + m_tail.size(), size};
    m_tail.resize(m_tail.size() + size);
    return m_tail.data() + m_tail.size() - size;
}

void
EsxSpool::Flush()
{
    m_file = m_file >= 0 ? m_file : OpenTemporary();
    std::size_t written = 0;
    while (written < m_tail.size())
    {
        const ssize_t more =
            pwrite(m_file, m_tail.data() + written, m_tail.size() - written, m_inFile + written);
        if (more <= 0)
        {
            m_most = std::numeric_limits<std::size_t>::max(); // no file, or no room: in memory
            return;
        }
        written += more;
    }
    m_inFile += written;
    m_tail.clear();
    m_tail.shrink_to_fit();
}

void
EsxSpool::Read(const Piece& piece, std::vector<uint8_t>& octets) const
{
    octets.resize(piece.size);
    if (piece.at >= m_inFile)
    {
        std::copy_n(m_tail.begin() + (piece.at - m_inFile), piece.size, octets.begin());
        return;
    }
    std::size_t read = 0;
    while (read < piece.size)
    {
        const ssize_t more =
            pread(m_file, octets.data() + read, piece.size - read, piece.at + read);
        NS_ABORT_MSG_IF(more <= 0, "the temporary file of collected datagrams cannot be read");
        read += more;
    }
}

} // namespace ns3

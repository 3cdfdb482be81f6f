// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Octets of a file or a pipe, looked at in blocks: nothing is copied but what lies across the end
 * of a block. CaptureFile's formats read through it.
 */
#ifndef NETFLOW_OCTET_WINDOW_H
#define NETFLOW_OCTET_WINDOW_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace netflow
{

/**
 * Reads some octets.
 * \param to where to \param max how many fit, >= 1
 * \return how many, at least one; 0 at the end; -1 if they cannot be read (errno says why)
 */
using ReadOctets = std::function<std::ptrdiff_t(uint8_t* to, std::size_t max)>;

/// Octets of a regular file, by the standard library. \param error set if the result is empty
ReadOctets OpenOctets(const std::string& path, std::string& error);

/// Octets of a file or pipe that have been read and not passed yet.
class OctetWindow
{
  public:
    /// Many packets a system call, and yet in the processor's second cache when they are looked at.
    static constexpr std::size_t SIZE = 512U << 10;

    explicit OctetWindow(ReadOctets read);

    /// The present place.
    const uint8_t* Get() const
    {
        return m_block.get() + m_begin;
    }

    /// Octets from the present place on.
    std::size_t GetSize() const
    {
        return m_end - m_begin;
    }

    /// Reads on until there are so many (<= SIZE), never waiting for more. Octets that were looked
    /// at may move. \return false if the end comes before
    bool Fetch(std::size_t octets)
    {
        return GetSize() >= octets || ReadOn(octets);
    }

    /// Goes on behind octets that are there.
    void Pass(std::size_t octets)
    {
        m_begin += octets;
    }

    /// Goes on behind octets that need not be there yet. \return false if the end comes before
    bool Skip(uint64_t octets);

    /// Why reading ended early; empty if it did not.
    const std::string& GetError() const
    {
        return m_error;
    }

  private:
    bool ReadOn(std::size_t octets);

    const ReadOctets m_read;
    const std::unique_ptr<uint8_t[]> m_block;
    std::size_t m_begin{0};
    std::size_t m_end{0};
    bool m_ended{false};
    std::string m_error;
};

} // namespace netflow

#endif // NETFLOW_OCTET_WINDOW_H

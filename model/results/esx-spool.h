// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SPOOL_H
#define ESX_SPOOL_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ns3
{

/// Keeps octets until the run's end: the latest 4 MiB in memory, those before in a temporary file
/// without a name (TMPDIR says where), or in memory if none can be written.
class EsxSpool
{
  public:
    /// Where a piece is.
    struct Piece
    {
        uint64_t at{0};
        std::size_t size{0};
    };

    EsxSpool();
    ~EsxSpool();
    EsxSpool(const EsxSpool&) = delete;
    EsxSpool& operator=(const EsxSpool&) = delete;

    /// \return place for a piece, to be filled before the next one is made
    uint8_t* Append(std::size_t size, Piece& piece);
    /// \param [out] octets of a piece
    void Read(const Piece& piece, std::vector<uint8_t>& octets) const;

  private:
    void Flush();

    std::vector<uint8_t> m_tail; //!< behind what is in the file
    uint64_t m_inFile{0};
    int m_file{-1};
    std::size_t m_most; //!< octets that the tail may have
};

} // namespace ns3

#endif // ESX_SPOOL_H

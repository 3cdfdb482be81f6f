// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Reads captures, pcap and pcapng, from files and pipes alike: block by block, each packet by the
 * link type, snapshot length, resolution and offset of its own interface. Frames are given out
 * where they lie, in batches: no call and no copy a packet.
 *
 * Throws nothing. Damage ends the reading only where no next packet can be found behind it. Times
 * are CaptureClock's business, contents of frames LinkLayer's.
 */
#ifndef NETFLOW_CAPTURE_FILE_H
#define NETFLOW_CAPTURE_FILE_H

#include "netflow/link-layer.h"
#include "netflow/octet-window.h"
#include "netflow/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace netflow
{

/// One frame of a capture.
struct CapturedFrame
{
    int64_t unixNs{0}; //!< ns since 1970, at most MAX_UNIX_NS; or NO_TIME
    const uint8_t* data{nullptr};
    uint32_t captured{0}; //!< octets at data
    uint32_t wire{0};     //!< octets on the wire, >= captured
    LinkLayer link;       //!< how it begins
};

/// Oddities of a capture.
struct CaptureCounts
{
    uint64_t packets{0};   //!< given out
    uint64_t aboveWire{0}; //!< more octets captured than were on the wire: the larger number counts
    uint64_t carried{0};   //!< times whose fraction is a second or more: carried
    uint64_t outOfYears{0};   //!< times before 1970 (none, then) or after 2106 (the last instant)
    uint64_t offloaded{0};    //!< parsed packets of IP total length 0
    uint64_t cut{0};          //!< parsed packets shorter than their IP total length, as captured
    uint64_t unknownLinks{0}; //!< packets of a link type that is not known here
    int unknownLinkType{-1};  //!< the first such
    std::string firstCarried; //!< "packet 3: a fraction of 1000000 us"
    uint64_t damages{0};      //!< places where octets had to be passed over, or the reading ended
    uint64_t passedOver{0};   //!< those octets
    std::string firstDamage;  //!< "packet 3: truncated: 5 octets of 60"
};

/// Reads packets of one format.
class CaptureFormat
{
  public:
    CaptureFormat(OctetWindow& window, CaptureCounts& counts);
    virtual ~CaptureFormat() = default;
    CaptureFormat(const CaptureFormat&) = delete;
    CaptureFormat& operator=(const CaptureFormat&) = delete;

    /// See CaptureFile.
    std::size_t NextBatch(CapturedFrame* frames, std::size_t max);

  protected:
    /// Reads the frames that need no care, as many as lie in the window.
    virtual std::size_t ReadUsual(CapturedFrame* frames, std::size_t max);

    /**
     * Reads the next frame.
     * \param mayMove the window may move: no frame of this batch was read yet
     * \return false if there is none in the window, or none at all
     */
    virtual bool Read(CapturedFrame& frame, bool mayMove) = 0;

    /// Whether a packet or block seems to begin at the present place.
    virtual bool IsPlausible() = 0;

    /// Notes damage at the next packet and looks for a place behind it where reading can go on.
    /// \return false if there is none: nothing is left then
    bool Recover(const std::string& damage);

    void Blame(const std::string& damage);
    uint32_t Field(const uint8_t* at) const; //!< of 32 bits, in the byte order of the file
    uint16_t Field16(const uint8_t* at) const;
    std::string NextPacket() const; //!< "packet 3: "
    /// At the end of the octets. \param what is not whole \param expected its size
    bool EndIn(const std::string& what, uint64_t expected);

    OctetWindow& m_window;
    CaptureCounts& m_counts;
    bool m_swapped{false}; //!< written by a machine of the other byte order

  private:
    std::size_t m_read{0}; //!< frames of the present batch
};

/// A capture, read once from front to back.
class CaptureFile
{
  public:
    explicit CaptureFile(ReadOctets read);
    ~CaptureFile();

    /// Reads the file's head. \return what is wrong with it, or nothing: it is a capture
    std::string Open();

    /**
     * Reads some frames, at least one unless the capture is at its end; never waits for more.
     * \param frames set; their octets stay valid until the next call
     * \param max how many fit, >= 1
     * \return how many were read; 0 at the end
     */
    std::size_t NextBatch(CapturedFrame* frames, std::size_t max);

    /**
     * The flow key and size of a frame of this capture.
     * \param trustIpLength whether a packet that was cut without a note counts by its IP total
     * length; without, it is not METERABLE
     */
    PacketSummary Parse(const CapturedFrame& frame, bool trustIpLength);

    const CaptureCounts& GetCounts() const
    {
        return m_counts;
    }

    /// Describes the damage; empty if there was none. To be asked at the end.
    std::string DescribeDamage() const;

  private:
    OctetWindow m_window;
    CaptureCounts m_counts;
    std::unique_ptr<CaptureFormat> m_format;
};

} // namespace netflow

#endif // NETFLOW_CAPTURE_FILE_H

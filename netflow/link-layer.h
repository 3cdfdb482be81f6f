// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * How the frames of a capture begin: from its link type to the IPv4 packet inside.
 *
 * Captures from files and from interfaces use it. Headers behind the link layer are the business of
 * netflow/packet-parser.
 */
#ifndef NETFLOW_LINK_LAYER_H
#define NETFLOW_LINK_LAYER_H

#include "netflow/packet-parser.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace netflow
{

/// One UDP datagram that came from outside. Addresses in host byte order.
struct UdpDatagram
{
    uint32_t sourceAddress{0};
    uint16_t sourcePort{0};
    const uint8_t* data{nullptr}; //!< payload; belongs to whoever filled this in
    std::size_t size{0};          //!< octets of payload
};

/// Finding of FindUdp().
enum class UdpFinding : uint8_t
{
    OTHER,      //!< not UDP to that port
    FRAGMENT,   //!< the first fragment of a datagram
    INCOMPLETE, //!< not wholly captured, or its length is wrong
    FOUND,
};

/// One of the link layers that are known here: Ethernet, Linux "cooked" versions 1 and 2, raw IP,
/// BSD null and loop.
class LinkLayer
{
  public:
    /// Where the link header ends and what comes then.
    struct Header
    {
        uint32_t size;      //!< octets, VLAN tags not included
        uint16_t etherType; //!< of what follows
        bool complete;      //!< captured as a whole
    };

    /// Unknown: whatever frames are, they are not IPv4.
    LinkLayer() = default;

    /// \param linkType the number in a capture file (LINKTYPE_) or libpcap's (DLT_). \return
    /// nothing if it is not known here
    static std::optional<LinkLayer> FromLinkType(int linkType);

    /// All that FromLinkType() knows, for messages.
    static const char* GetNames();

    /**
     * The flow key and size of a frame. Never reads past the captured octets.
     * \param captured octets readable at \p frame
     * \param wire octets on the wire
     */
    PacketSummary Parse(const uint8_t* frame, uint32_t captured, uint32_t wire) const
    {
        return m_kind == Kind::ETHERNET ? ParseEthernet(frame, captured, wire)
                                        : ParseOther(frame, captured, wire);
    }

    bool IsKnown() const
    {
        return m_kind != Kind::UNKNOWN;
    }

    bool IsEthernet() const
    {
        return m_kind == Kind::ETHERNET;
    }

    /// VLAN ID of the outermost tag, 1 to 4095; 0: no tag, or one that only gives a priority.
    uint16_t FindVlan(const uint8_t* frame, uint32_t captured) const;

    /// Octets of link padding behind the IPv4 packet of a METERABLE frame. \param octets of that
    /// packet
    uint32_t GetPadding(const uint8_t* frame,
                        uint32_t captured,
                        uint32_t wire,
                        uint32_t octets) const;

    Header ReadHeader(const uint8_t* frame, uint32_t captured) const;

    /// Octets of VLAN tags before the IPv4 packet of a METERABLE frame.
    uint32_t GetTags(const uint8_t* frame, uint32_t captured) const;

    /// Looks for a UDP datagram to a port. \param datagram set if the result is not OTHER; its data
    /// only if FOUND
    UdpFinding FindUdp(const uint8_t* frame,
                       uint32_t captured,
                       uint32_t wire,
                       uint16_t port,
                       UdpDatagram& datagram) const;

  private:
    enum class Kind : uint8_t
    {
        ETHERNET,
        COOKED,    //!< Linux cooked, version 1
        COOKED_V2, //!< Linux cooked, version 2
        RAW,       //!< begins with the IP header
        LOOPBACK,  //!< four octets of address family before it, in either byte order
        UNKNOWN,
    };

    explicit LinkLayer(Kind kind);

    uint32_t FindPacket(const uint8_t* frame, uint32_t captured) const;
    PacketSummary ParseOther(const uint8_t* frame, uint32_t captured, uint32_t wire) const;

    Kind m_kind{Kind::UNKNOWN};
};

} // namespace netflow

#endif // NETFLOW_LINK_LAYER_H

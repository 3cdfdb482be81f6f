// SPDX-License-Identifier: GPL-2.0-only
#include "esx-vnic.h"

#include "model/esx-compat.h"

#include "ns3/enum.h"
#include "ns3/simulator.h"
#include "ns3/uinteger.h"

#include <utility>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxVnic);

namespace
{

/// Frames in the receive ring of a type (documented). Transmit rings have as many (our choice).
uint32_t
RingOf(EsxVnic::Type type)
{
    switch (type)
    {
    case EsxVnic::VLANCE:
        return 32;
    case EsxVnic::VMXNET:
        return 100;
    case EsxVnic::ENHANCED_VMXNET:
        return 150;
    case EsxVnic::E1000:
        return 256;
    }
    return 0;
}

} // namespace

TypeId
EsxVnic::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxVnic")
            .SetParent<EsxVirtualNetDevice>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxVnic>()
            .AddAttribute("Type",
                          "Kind of adapter: Vlance, Vmxnet, EnhancedVmxnet or E1000",
                          EnumValue(VMXNET),
                          MakeEsxEnumAccessor<Type>(&EsxVnic::m_type),
                          MakeEnumChecker(VLANCE,
                                          "Vlance",
                                          VMXNET,
                                          "Vmxnet",
                                          ENHANCED_VMXNET,
                                          "EnhancedVmxnet",
                                          E1000,
                                          "E1000"))
            .AddAttribute("RxRing",
                          "Frames in the receive ring; 0: as the type has",
                          UintegerValue(0),
                          MakeUintegerAccessor(&EsxVnic::m_rxRing),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("TxRing",
                          "Frames in the transmit ring; 0: as many as in the type's receive ring",
                          UintegerValue(0),
                          MakeUintegerAccessor(&EsxVnic::m_txRing),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("GuestRate",
                          "Rate at which the guest gives and takes frames, each; 0: infinite, and "
                          "no ring is ever full (our choice)",
                          DataRateValue(DataRate(0)),
                          MakeDataRateAccessor(&EsxVnic::SetGuestRate, &EsxVnic::GetGuestRate),
                          MakeDataRateChecker());
    return tid;
}

EsxVnic::EsxVnic()
    : EsxVirtualNetDevice(0x000c29)
{
}

EsxVnic::~EsxVnic() = default;

void
EsxVnic::DoDispose()
{
    ClearRings();
    m_queue = nullptr;
    EsxVirtualNetDevice::DoDispose();
}

EsxPortKind
EsxVnic::GetPortKind() const
{
    return EsxPortKind::VNIC;
}

bool
EsxVnic::SendsAtOnce() const
{
    return m_powered && !HasRing() && m_tx.empty();
}

bool
EsxVnic::HasRing() const
{
    return m_hasRing;
}

bool
EsxVnic::HasRoom() const
{
    return m_rx.size() < GetRxRing();
}

EsxVnic::Type
EsxVnic::GetType() const
{
    return m_type;
}

uint32_t
EsxVnic::GetRxRing() const
{
    return m_rxRing != 0 ? m_rxRing : RingOf(m_type);
}

uint32_t
EsxVnic::GetTxRing() const
{
    return m_txRing != 0 ? m_txRing : RingOf(m_type);
}

DataRate
EsxVnic::GetGuestRate() const
{
    return m_guestRate;
}

void
EsxVnic::SetGuestRate(DataRate rate)
{
    m_guestRate = rate;
    m_hasRing = rate.GetBitRate() != 0;
    if (HasRing() && !m_queue)
    {
        m_queue = CreateObject<NetDeviceQueueInterface>();
        AggregateObject(m_queue);
    }
    NotifyRingChanged();
}

void
EsxVnic::SetPowered(bool powered)
{
    m_powered = powered;
    if (!powered)
    {
        ClearRings();
    }
}

bool
EsxVnic::IsPowered() const
{
    return m_powered;
}

void
EsxVnic::ClearRings()
{
    m_sending.Cancel();
    m_taking.Cancel();
    m_tx.clear();
    m_rx.clear();
}

bool
EsxVnic::Transmit(const Ptr<Packet>& packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol)
{
    if (!m_powered)
    {
        TransmitDrop(packet, EsxDropCause::DISCONNECTED, false);
        return false;
    }
    if (SendsAtOnce() || !IsLinkUp())
    {
        return EsxVirtualNetDevice::Transmit(packet, source, destination, protocol);
    }
    if (m_tx.size() >= GetTxRing())
    {
        TransmitDrop(packet, EsxDropCause::TX_RING, true);
        return false;
    }
    m_tx.push_back({packet, source, destination, protocol, 0});
    if (m_tx.size() == 1)
    {
        m_sending = Simulator::Schedule(TimeOf(m_tx.front()), &EsxVnic::SendNext, this);
    }
    if (m_tx.size() == GetTxRing())
    {
        m_queue->GetTxQueue(0)->Stop();
    }
    return true;
}

void
EsxVnic::SendNext()
{
    EsxFrame frame = std::move(m_tx.front());
    m_tx.pop_front();
    if (!m_tx.empty())
    {
        m_sending = Simulator::Schedule(TimeOf(m_tx.front()), &EsxVnic::SendNext, this);
    }
    EsxVirtualNetDevice::Transmit(frame.packet, frame.source, frame.destination, frame.protocol);
    if (m_queue && m_queue->GetTxQueue(0)->IsStopped())
    {
        m_queue->GetTxQueue(0)->Wake(); // the guest's queue disc may send at once
    }
}

void
EsxVnic::Receive(const Ptr<const Packet>& packet,
                 const Mac48Address& source,
                 const Mac48Address& destination,
                 uint16_t protocol)
{
    if (!HasRing() && m_rx.empty())
    {
        EsxVirtualNetDevice::Receive(packet, source, destination, protocol);
        return;
    }
    m_rx.push_back({ConstCast<Packet>(packet), source, destination, protocol, 0});
    if (m_rx.size() == 1)
    {
        m_taking = Simulator::Schedule(TimeOf(m_rx.front()), &EsxVnic::TakeNext, this);
    }
}

void
EsxVnic::TakeNext()
{
    const EsxFrame frame = std::move(m_rx.front());
    m_rx.pop_front();
    if (!m_rx.empty())
    {
        m_taking = Simulator::Schedule(TimeOf(m_rx.front()), &EsxVnic::TakeNext, this);
    }
    EsxVirtualNetDevice::Receive(frame.packet, frame.source, frame.destination, frame.protocol);
}

/// Of one frame with its Ethernet header at the guest's rate; none if that became infinite.
Time
EsxVnic::TimeOf(const EsxFrame& frame) const
{
    constexpr uint32_t ETHERNET_HEADER = 14;
    return HasRing() ? m_guestRate.CalculateBytesTxTime(frame.packet->GetSize() + ETHERNET_HEADER)
                     : Time(0);
}

} // namespace ns3

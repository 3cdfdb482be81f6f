// SPDX-License-Identifier: GPL-2.0-only
#include "esx-link-impairment.h"

#include "esx-ethernet-net-device.h"

#include "ns3/double.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"

#include <cmath>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxLinkImpairment");
NS_OBJECT_ENSURE_REGISTERED(EsxLinkImpairment);

TypeId
EsxLinkImpairment::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxLinkImpairment")
            .SetParent<ErrorModel>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxLinkImpairment>()
            .AddAttribute("Loss",
                          "Probability that a frame is lost",
                          DoubleValue(0),
                          MakeDoubleAccessor(&EsxLinkImpairment::Set<&EsxLinkImpairment::m_loss>,
                                             &EsxLinkImpairment::Get<&EsxLinkImpairment::m_loss>),
                          MakeDoubleChecker<double>(0, 1))
            .AddAttribute(
                "LossWhenBad",
                "Probability that a frame is lost while the link is bad",
                DoubleValue(1),
                MakeDoubleAccessor(&EsxLinkImpairment::Set<&EsxLinkImpairment::m_lossWhenBad>,
                                   &EsxLinkImpairment::Get<&EsxLinkImpairment::m_lossWhenBad>),
                MakeDoubleChecker<double>(0, 1))
            .AddAttribute(
                "GoodToBad",
                "Probability that a good link is bad from the next frame on",
                DoubleValue(0),
                MakeDoubleAccessor(&EsxLinkImpairment::Set<&EsxLinkImpairment::m_goodToBad>,
                                   &EsxLinkImpairment::Get<&EsxLinkImpairment::m_goodToBad>),
                MakeDoubleChecker<double>(0, 1))
            .AddAttribute(
                "BadToGood",
                "Probability that a bad link is good from the next frame on",
                DoubleValue(1),
                MakeDoubleAccessor(&EsxLinkImpairment::Set<&EsxLinkImpairment::m_badToGood>,
                                   &EsxLinkImpairment::Get<&EsxLinkImpairment::m_badToGood>),
                MakeDoubleChecker<double>(0, 1))
            .AddAttribute(
                "BitErrors",
                "Probability that a bit is wrong; a frame with a wrong bit is lost",
                DoubleValue(0),
                MakeDoubleAccessor(&EsxLinkImpairment::Set<&EsxLinkImpairment::m_bitErrors>,
                                   &EsxLinkImpairment::Get<&EsxLinkImpairment::m_bitErrors>),
                MakeDoubleChecker<double>(0, 1))
            .AddAttribute(
                "Duplicate",
                "Probability that a frame is received twice",
                DoubleValue(0),
                MakeDoubleAccessor(&EsxLinkImpairment::Set<&EsxLinkImpairment::m_duplicate>,
                                   &EsxLinkImpairment::Get<&EsxLinkImpairment::m_duplicate>),
                MakeDoubleChecker<double>(0, 1))
            .AddAttribute(
                "Reorder",
                "Probability that a frame is delayed by ReorderDelay",
                DoubleValue(0),
                MakeDoubleAccessor(&EsxLinkImpairment::Set<&EsxLinkImpairment::m_reorder>,
                                   &EsxLinkImpairment::Get<&EsxLinkImpairment::m_reorder>),
                MakeDoubleChecker<double>(0, 1))
            .AddAttribute("ReorderDelay",
                          "By how much a frame is delayed",
                          TimeValue(MilliSeconds(10)),
                          MakeTimeAccessor(&EsxLinkImpairment::m_reorderDelay),
                          MakeTimeChecker(NanoSeconds(1)));
    return tid;
}

EsxLinkImpairment::EsxLinkImpairment()
    : m_lossDraw(CreateObject<UniformRandomVariable>()),
      m_bitDraw(CreateObject<UniformRandomVariable>()),
      m_duplicateDraw(CreateObject<UniformRandomVariable>()),
      m_reorderDraw(CreateObject<UniformRandomVariable>())
{
}

EsxLinkImpairment::~EsxLinkImpairment() = default;

void
EsxLinkImpairment::Install(const Ptr<CsmaNetDevice>& device, const Ptr<CsmaNetDevice>& peer)
{
    m_receive = [device = PeekPointer(device), peer = PeekPointer(peer)](Ptr<Packet> packet) {
        device->Receive(packet, Ptr<CsmaNetDevice>(peer));
    };
    device->SetReceiveErrorModel(this);
}

void
EsxLinkImpairment::Install(const Ptr<EsxEthernetNetDevice>& device)
{
    m_device = PeekPointer(device);
    m_receive = [device = m_device](const Ptr<Packet>& packet) { device->Deliver(packet); };
    device->SetAttribute("ReceiveErrorModel", PointerValue(this));
}

bool
EsxLinkImpairment::IsNone() const
{
    return m_loss == 0 && m_goodToBad == 0 && !m_bad && m_bitErrors == 0 && m_duplicate == 0 &&
           m_reorder == 0;
}

void
EsxLinkImpairment::Changes()
{
    if (m_device)
    {
        m_device->GoSingly();
    }
}

bool
EsxLinkImpairment::IsHoldingBack() const
{
    return m_holdingBack;
}

uint64_t
EsxLinkImpairment::GetReordered() const
{
    return m_reordered;
}

uint64_t
EsxLinkImpairment::GetDuplicated() const
{
    return m_duplicated;
}

int64_t
EsxLinkImpairment::AssignStreams(int64_t stream)
{
    int64_t used = 0;
    for (const auto& draw : {m_lossDraw, m_bitDraw, m_duplicateDraw, m_reorderDraw})
    {
        draw->SetStream(stream + used++);
    }
    return used;
}

void
EsxLinkImpairment::DoDispose()
{
    m_receive = nullptr;
    m_device = nullptr;
    ErrorModel::DoDispose();
}

bool
EsxLinkImpairment::DoCorrupt(Ptr<Packet> packet)
{
    m_holdingBack = false;
    if (m_delivering)
    {
        return false;
    }
    if (IsLost() || Draw(m_bitDraw, FrameErrorRate(packet->GetSize())))
    {
        NS_LOG_LOGIC(this << " loses a frame of " << packet->GetSize() << " octets");
        return true;
    }
    if (Draw(m_duplicateDraw, m_duplicate))
    {
        ++m_duplicated;
        Simulator::ScheduleNow(&EsxLinkImpairment::Deliver,
                               Ptr<EsxLinkImpairment>(this),
                               packet->Copy());
    }
    if (Draw(m_reorderDraw, m_reorder))
    {
        ++m_reordered;
        m_holdingBack = true;
        Simulator::Schedule(m_reorderDelay,
                            &EsxLinkImpairment::Deliver,
                            Ptr<EsxLinkImpairment>(this),
                            packet->Copy());
    }
    return m_holdingBack;
}

void
EsxLinkImpairment::DoReset()
{
    m_holdingBack = false;
    m_bad = false;
}

bool
EsxLinkImpairment::IsLost()
{
    if (Draw(m_lossDraw, m_bad ? m_badToGood : m_goodToBad))
    {
        m_bad = !m_bad;
    }
    return Draw(m_lossDraw, m_bad ? m_lossWhenBad : m_loss);
}

bool
EsxLinkImpairment::Draw(const Ptr<UniformRandomVariable>& variable, double probability) const
{
    return probability > 0 && variable->GetValue() < probability;
}

double
EsxLinkImpairment::FrameErrorRate(uint32_t octets) const
{
    return m_bitErrors > 0 ? 1 - std::pow(1 - m_bitErrors, 8.0 * octets) : 0;
}

void
EsxLinkImpairment::Deliver(Ptr<Packet> packet)
{
    if (!m_receive)
    {
        return; // the simulation is over
    }
    m_delivering = true;
    m_receive(packet);
    m_delivering = false;
}

} // namespace ns3

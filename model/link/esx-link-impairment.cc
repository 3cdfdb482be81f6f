// SPDX-License-Identifier: GPL-2.0-only
#include "esx-link-impairment.h"

#include "esx-ethernet-net-device.h"
#include "netflow/enum-table.h"

#include "ns3/double.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <cmath>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxLinkImpairment");
NS_OBJECT_ENSURE_REGISTERED(EsxLinkImpairment);

template <std::size_t... rates>
void
EsxLinkImpairment::AddRates(TypeId& tid, std::index_sequence<rates...>)
{
    struct Row
    {
        Rate rate;
        const char* name;
        const char* help;
        double standard;
    };

    static constexpr Row RATES[] = {
        {LOSS, "Loss", "Probability that a frame is lost", 0},
        {GOOD_TO_BAD, "GoodToBad", "Probability that a good link is bad from the next frame on", 0},
        {BIT_ERRORS,
         "BitErrors",
         "Probability that a bit is wrong; a frame with a wrong bit is lost",
         0},
        {DUPLICATE, "Duplicate", "Probability that a frame is received twice", 0},
        {REORDER, "Reorder", "Probability that a frame is delayed by ReorderDelay", 0},
        {LOSS_WHEN_BAD, "LossWhenBad", "Probability that a frame is lost while the link is bad", 1},
        {BAD_TO_GOOD, "BadToGood", "Probability that a bad link is good from the next frame on", 1},
    };
    static_assert(netflow::HasRowOfEach(RATES, &Row::rate, RATE_COUNT), "one row for each rate");
    (tid.AddAttribute(
         RATES[rates].name,
         RATES[rates].help,
         DoubleValue(RATES[rates].standard),
         MakeDoubleAccessor(&EsxLinkImpairment::SetRate<rates>, &EsxLinkImpairment::GetRate<rates>),
         MakeDoubleChecker<double>(0, 1)),
     ...);
}

TypeId
EsxLinkImpairment::GetTypeId()
{
    static TypeId tid = [] {
        TypeId made = TypeId("ns3::EsxLinkImpairment")
                          .SetParent<ErrorModel>()
                          .SetGroupName("EsxNetflow")
                          .AddConstructor<EsxLinkImpairment>();
        AddRates(made, std::make_index_sequence<RATE_COUNT>());
        return made.AddAttribute("ReorderDelay",
                                 "By how much a frame is delayed",
                                 TimeValue(MilliSeconds(10)),
                                 MakeTimeAccessor(&EsxLinkImpairment::SetReorderDelay,
                                                  &EsxLinkImpairment::GetReorderDelay),
                                 MakeTimeChecker(NanoSeconds(1)));
    }();
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
    const auto isZero = [](double rate) { return rate == 0; };
    return !m_bad && std::all_of(m_rates.begin(), m_rates.begin() + LOSS_WHEN_BAD, isZero);
}

void
EsxLinkImpairment::SetReorderDelay(Time delay)
{
    Changes();
    m_reorderDelay = delay;
}

Time
EsxLinkImpairment::GetReorderDelay() const
{
    return m_reorderDelay;
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

bool
EsxLinkImpairment::IsHeldBackBy(const NetDevice& device)
{
    PointerValue model;
    const auto impairment = device.GetAttributeFailSafe("ReceiveErrorModel", model)
                                ? DynamicCast<EsxLinkImpairment>(model.GetObject())
                                : nullptr;
    return impairment && impairment->IsHoldingBack();
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
    if (Draw(m_duplicateDraw, m_rates[DUPLICATE]))
    {
        ++m_duplicated;
        Simulator::ScheduleNow(&EsxLinkImpairment::Deliver,
                               Ptr<EsxLinkImpairment>(this),
                               packet->Copy());
    }
    if (Draw(m_reorderDraw, m_rates[REORDER]))
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
    if (Draw(m_lossDraw, m_rates[m_bad ? BAD_TO_GOOD : GOOD_TO_BAD]))
    {
        m_bad = !m_bad;
    }
    return Draw(m_lossDraw, m_rates[m_bad ? LOSS_WHEN_BAD : LOSS]);
}

bool
EsxLinkImpairment::Draw(const Ptr<UniformRandomVariable>& variable, double probability) const
{
    return probability > 0 && variable->GetValue() < probability;
}

double
EsxLinkImpairment::FrameErrorRate(uint32_t octets) const
{
    const double bit = m_rates[BIT_ERRORS];
    return bit > 0 ? 1 - std::pow(1 - bit, 8.0 * octets) : 0;
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

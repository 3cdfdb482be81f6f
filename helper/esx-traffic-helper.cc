// SPDX-License-Identifier: GPL-2.0-only
#include "esx-traffic-helper.h"

#include "ns3/abort.h"
#include "ns3/boolean.h"
#include "ns3/bulk-send-application.h"
#include "ns3/esx-tcp-syn-scan.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-routing-protocol.h"
#include "ns3/ipv4.h"
#include "ns3/node-list.h"
#include "ns3/packet-sink.h"
#include "ns3/pointer.h"
#include "ns3/socket-factory.h"
#include "ns3/string.h"
#include "ns3/type-id.h"
#include "ns3/uinteger.h"

#include <algorithm>

namespace ns3
{

namespace
{

/// \return all addresses of \p node but those of its loopback, in order of interfaces
std::vector<Ipv4InterfaceAddress>
AddressesOf(const Ptr<Node>& node)
{
    NS_ABORT_MSG_UNLESS(node, "traffic needs nodes: one of them is null");
    const auto ipv4 = node->GetObject<Ipv4>();
    NS_ABORT_MSG_IF(!ipv4, "node " << node->GetId() << " has no IPv4 stack");
    std::vector<Ipv4InterfaceAddress> addresses;
    for (uint32_t interface = 0; interface < ipv4->GetNInterfaces(); ++interface)
    {
        for (uint32_t i = 0; i < ipv4->GetNAddresses(interface); ++i)
        {
            const auto address = ipv4->GetAddress(interface, i);
            if (!address.GetLocal().IsLocalhost())
            {
                addresses.push_back(address);
            }
        }
    }
    return addresses;
}

Ipv4Address
Resolve(const EsxTrafficTarget& to, const Ptr<Node>& from)
{
    NS_ABORT_MSG_UNLESS(
        from && from->GetObject<Ipv4>(),
        "traffic needs a sender with an IPv4 stack: "
            << (from ? "node " + std::to_string(from->GetId()) + " has none" : "it is null"));
    NS_ABORT_MSG_IF(!to.node && to.address.IsLocalMulticast(),
                    "traffic to " << EsxDotted(to.address)
                                  << ": ns-3 has no route to 224.0.0.0/24");
    return to.node ? EsxTrafficHelper::AddressOf(to.node, from) : to.address;
}

/// Sets attribute Remote of a sender to one node.
void
SetRemote(ObjectFactory& sender, const EsxTrafficTarget& to, const Ptr<Node>& from, uint16_t port)
{
    const Ipv4Address address = Resolve(to, from);
    TypeId::AttributeInformation remote;
    NS_ABORT_MSG_UNLESS(sender.GetTypeId().LookupAttributeByName("Remote", &remote),
                        sender.GetTypeId().GetName() << " has no attribute Remote");
    DynamicCast<Ipv4AddressValue>(remote.checker->Create())
        ? sender.Set("Remote", Ipv4AddressValue(address))
        : sender.Set("Remote", AddressValue(InetSocketAddress(address, port)));
}

Ptr<Application>
AddTo(const ObjectFactory& factory, const Ptr<Node>& node, const EsxTrafficOptions& options)
{
    const auto application = factory.Create<Application>();
    application->SetStartTime(options.start);
    application->SetStopTime(options.stop);
    node->AddApplication(application);
    return application;
}

/// \return the device that has this address
Ptr<NetDevice>
DeviceOf(const Ptr<Node>& node, Ipv4Address address)
{
    const auto ipv4 = node->GetObject<Ipv4>();
    return ipv4->GetNetDevice(ipv4->GetInterfaceForAddress(address));
}

/// The first hop of packets of a node for an address.
struct Hop
{
    Ptr<NetDevice> out; //!< null: on a network of its own, or there is no route
    Mac48Address next;  //!< of the next router, if out is one; all zero: nobody has its address
};

Hop
HopOf(const Ptr<Node>& node, Ipv4Address to)
{
    Ipv4Header header;
    header.SetDestination(to);
    Socket::SocketErrno error;
    const auto route =
        node->GetObject<Ipv4>()->GetRoutingProtocol()->RouteOutput(nullptr, header, nullptr, error);
    if (!route || route->GetGateway() == Ipv4Address::GetZero())
    {
        return {};
    }
    Hop hop{route->GetOutputDevice(), {}};
    for (auto other = NodeList::Begin(); other != NodeList::End(); ++other)
    {
        const auto ipv4 = (*other)->GetObject<Ipv4>();
        const int32_t interface = ipv4 ? ipv4->GetInterfaceForAddress(route->GetGateway()) : -1;
        if (interface >= 0)
        {
            hop.next = Mac48Address::ConvertFrom(ipv4->GetNetDevice(interface)->GetAddress());
        }
    }
    return hop;
}

/// \return an address that a node answers for: one of its pools, if it has any
Ipv4Address
AnyAddressOf(const Ptr<Node>& node, Ipv4Address own)
{
    const auto pools = node->GetObject<EsxAddressPools>();
    return pools ? pools->Draw(0) : own;
}

std::string
TextOf(const Ptr<Application>& application, const std::string& attribute)
{
    StringValue text;
    application->GetAttribute(attribute, text);
    return text.Get();
}

/// \return an application of \p node of the factory's type that agrees with it in all \p identity
/// attributes: one that is there already, or a new one
Ptr<Application>
ShareReceiver(const ObjectFactory& factory,
              const Ptr<Node>& node,
              const std::vector<std::string>& identity)
{
    const auto fresh = factory.Create<Application>();
    for (uint32_t i = 0; i < node->GetNApplications(); ++i)
    {
        const auto present = node->GetApplication(i);
        if (present->GetInstanceTypeId() == fresh->GetInstanceTypeId() &&
            std::all_of(identity.begin(), identity.end(), [&](const std::string& attribute) {
                return TextOf(present, attribute) == TextOf(fresh, attribute);
            }))
        {
            return present;
        }
    }
    node->AddApplication(fresh);
    return fresh;
}

Ptr<Application>
ShareSink(const Ptr<Node>& node, TypeId protocol, uint16_t port)
{
    ObjectFactory factory;
    factory.SetTypeId(PacketSink::GetTypeId());
    factory.Set("Protocol", TypeIdValue(protocol));
    factory.Set("Local", AddressValue(InetSocketAddress(Ipv4Address::GetAny(), port)));
    return ShareReceiver(factory, node, {"Protocol", "Local"});
}

/// Assigns a stream to each random variable among the attributes of an application that is not of
/// this module. \return how many
int64_t
AssignToAttributes(const Ptr<Application>& application, int64_t stream)
{
    int64_t used = 0;
    std::vector<TypeId::AttributeInformation> attributes;
    for (TypeId type = application->GetInstanceTypeId(); type.HasParent(); type = type.GetParent())
    {
        for (std::size_t i = 0; i < type.GetAttributeN(); ++i)
        {
            attributes.push_back(type.GetAttribute(i));
        }
    }
    for (const TypeId::AttributeInformation& info : attributes)
    {
        PointerValue pointer;
        if (info.checker->GetValueTypeName() == "ns3::PointerValue" &&
            application->GetAttributeFailSafe(info.name, pointer))
        {
            if (const auto variable = pointer.Get<RandomVariableStream>())
            {
                variable->SetStream(stream + used++);
            }
        }
    }
    return used;
}

} // namespace

EsxTrafficTarget::EsxTrafficTarget(Ptr<Node> target)
    : node(target)
{
}

EsxTrafficTarget::EsxTrafficTarget(Ipv4Address target)
    : address(target)
{
}

ApplicationContainer
EsxTrafficHelper::UdpCbr(const NodeContainer& from,
                         const EsxTrafficTarget& to,
                         const EsxUdpCbrOptions& options) const
{
    ObjectFactory factory("ns3::EsxUdpCbr");
    factory.Set("DataRate", DataRateValue(options.rate));
    factory.Set("PacketSize", UintegerValue(options.packetSize));
    factory.Set("Dscp", UintegerValue(options.dscp));
    return Install(factory, from, to, options, options.port, "ns3::UdpSocketFactory");
}

ApplicationContainer
EsxTrafficHelper::TcpBulk(const NodeContainer& from,
                          const EsxTrafficTarget& to,
                          const EsxTcpBulkOptions& options) const
{
    ObjectFactory factory;
    factory.SetTypeId(BulkSendApplication::GetTypeId());
    factory.Set("MaxBytes", UintegerValue(options.bytes));
    return Install(factory, from, to, options, options.port, "ns3::TcpSocketFactory");
}

ApplicationContainer
EsxTrafficHelper::TcpRequest(const NodeContainer& from,
                             const EsxTrafficTarget& to,
                             const EsxTcpRequestOptions& options) const
{
    ObjectFactory factory("ns3::EsxTcpRequestClient");
    factory.Set("RequestSize", UintegerValue(options.request));
    factory.Set("ResponseSize", UintegerValue(options.response));
    factory.Set("RequestSizes", PointerValue(options.requestSizes));
    factory.Set("ResponseSizes", PointerValue(options.responseSizes));
    factory.Set("Interval", StringValue(options.every));
    return Install(factory, from, to, options, options.port, "ns3::EsxTcpRequestServer");
}

ApplicationContainer
EsxTrafficHelper::TcpSynScan(const NodeContainer& from,
                             const std::vector<EsxTrafficTarget>& to,
                             const EsxTcpSynScanOptions& options) const
{
    NS_ABORT_MSG_IF(to.empty(), "a SYN scan needs a target");
    ObjectFactory factory("ns3::EsxTcpSynScan");
    factory.Set("FirstPort", UintegerValue(options.firstPort));
    factory.Set("LastPort", UintegerValue(options.lastPort));
    factory.Set("Interval", TimeValue(options.every));
    factory.Set("SourcePort", UintegerValue(options.sourcePort));
    factory.Set("SourcePortRises", BooleanValue(options.sourcePortRises));
    ApplicationContainer scanners;
    for (auto node = from.Begin(); node != from.End(); ++node)
    {
        scanners.Add(Install(factory, *node, to.front(), options, 0, ""));
        for (size_t i = 1; i < to.size(); ++i)
        {
            DynamicCast<EsxTcpSynScan>(scanners.Get(scanners.GetN() - 1))
                ->AddRemote(Resolve(to[i], *node));
        }
    }
    return scanners;
}

ApplicationContainer
EsxTrafficHelper::Install(ObjectFactory sender,
                          const NodeContainer& from,
                          const EsxTrafficTarget& to,
                          const EsxTrafficOptions& options,
                          uint16_t port,
                          const std::string& receiver) const
{
    const TypeId receives = TypeId::LookupByName(receiver.empty() ? "ns3::Object" : receiver);
    const bool hasSink = receives.IsChildOf(SocketFactory::GetTypeId());
    if (TypeId::AttributeInformation protocol;
        hasSink && sender.GetTypeId().LookupAttributeByName("Protocol", &protocol))
    {
        sender.Set("Protocol", TypeIdValue(receives));
    }
    ApplicationContainer applications;
    for (auto node = from.Begin(); node != from.End(); ++node)
    {
        SetRemote(sender, to, *node, port);
        applications.Add(AddTo(sender, *node, options));
    }
    if (to.node && hasSink)
    {
        applications.Add(ShareSink(to.node, receives, port));
    }
    else if (to.node && !receiver.empty())
    {
        ObjectFactory server(receiver);
        server.Set("Port", UintegerValue(port));
        applications.Add(ShareReceiver(server, to.node, {"Port"}));
    }
    return applications;
}

ApplicationContainer
EsxTrafficHelper::Inject(Ptr<Node> from,
                         const std::vector<EsxTrafficTarget>& to,
                         Ptr<EsxFrameSource> source,
                         const EsxTrafficOptions& options) const
{
    NS_ABORT_MSG_IF(to.empty(), "injected traffic needs a target");
    const auto application = AddTo(ObjectFactory("ns3::EsxInjector"), from, options);
    const auto injector = DynamicCast<EsxInjector>(application);
    Ptr<NetDevice> device;
    for (const EsxTrafficTarget& target : to)
    {
        NS_ABORT_MSG_IF(!target.node, "injected traffic goes to nodes, not to bare addresses");
        const Ipv4Address address = Resolve(target, from);
        const Hop there = HopOf(from, AnyAddressOf(target.node, address));
        const Hop back = HopOf(target.node, AnyAddressOf(from, AddressOf(from, target.node)));
        const auto hop = [](const Hop& of) {
            return of.out ? std::optional(of.next) : std::nullopt;
        };
        injector->AddTarget(DeviceOf(target.node, address), hop(there), hop(back));
        device = device      ? device
                 : there.out ? there.out
                             : DeviceOf(from, AddressOf(from, target.node));
    }
    NS_ABORT_MSG_IF(!device->SupportsSendFrom(),
                    "node " << from->GetId() << " has no Ethernet device there to inject at");
    injector->SetDevice(device);
    injector->SetSource(source);
    return ApplicationContainer(application);
}

ApplicationContainer
EsxTrafficHelper::SyntheticFlows(const Ptr<Node>& from,
                                 const std::vector<EsxTrafficTarget>& to,
                                 const Ptr<EsxSyntheticFlows>& flows,
                                 const EsxTrafficOptions& options) const
{
    NS_ABORT_MSG_IF(to.empty(), "injected traffic needs a target");
    for (const EsxTrafficTarget& target : to)
    {
        flows->AddDestination(Resolve(target, from));
    }
    flows->SetSourceAddress(AddressOf(from, to.front().node));
    const auto own = from->GetObject<EsxAddressPools>();
    flows->SetPools(own ? own : to.front().node->GetObject<EsxAddressPools>(), own != nullptr);
    return Inject(from, to, flows, options);
}

int64_t
EsxTrafficHelper::AssignStreams(const ApplicationContainer& applications, int64_t stream) const
{
    int64_t used = 0;
    for (auto it = applications.Begin(); it != applications.End(); ++it)
    {
        auto* const user = dynamic_cast<EsxRandomUser*>(PeekPointer(*it));
        used += user ? user->AssignStreams(stream + used) : AssignToAttributes(*it, stream + used);
    }
    return used;
}

Ipv4Address
EsxTrafficHelper::AddressOf(const Ptr<Node>& to, const Ptr<Node>& from)
{
    const auto own = AddressesOf(from);
    const auto candidates = AddressesOf(to);
    NS_ABORT_MSG_IF(candidates.empty(), "node " << to->GetId() << " has no IPv4 address");
    for (const auto& candidate : candidates)
    {
        for (const auto& address : own)
        {
            if (address.IsInSameSubnet(candidate.GetLocal()))
            {
                return candidate.GetLocal();
            }
        }
    }
    return candidates.front().GetLocal();
}

} // namespace ns3

// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_INJECTOR_H
#define ESX_INJECTOR_H

#include "ns3/application.h"
#include "ns3/esx-virtual-net-device.h"
#include "ns3/event-impl.h"
#include "ns3/traced-callback.h"

#include <optional>
#include <vector>

namespace ns3
{

/// A frame that is to enter a port.
struct EsxInjectedFrame
{
    Time at;              //!< since the injector's start
    Ptr<Packet> packet;   //!< without its Ethernet header
    uint16_t protocol{0}; //!< EtherType
    uint32_t target{0};   //!< index of the target whose MAC address is its destination
    std::optional<Mac48Address> source; //!< sender; none: the MAC address of the port's own device
};

/// Where an injector takes its frames from: a capture, or a synthetic trace.
class EsxFrameSource : public Object
{
  public:
    static TypeId GetTypeId();
    ~EsxFrameSource() override;

    /// \param [out] frame the next one; its time is not before that of the one before
    /// \return false if there is none left
    virtual bool Next(EsxInjectedFrame& frame) = 0;

    /// Gives random streams from \p stream on. \return how many
    virtual int64_t AssignStreams(int64_t stream);
};

/**
 * Puts frames of a source into the port of a guest's vNIC, or on the link of any Ethernet device,
 * past the node's IP stack: traffic of which only the packets matter. The frames go the way of all
 * others (meter, forwarding, delivery).
 *
 * The stacks at both ends stay silent: what arrives at the port's device or at a target's is
 * counted by the device and then forgotten (see Silence()). So there are no answers, and no ARP:
 * the destination MAC address is that of the target. Costs one event a frame, none for frames of
 * one instant; all these events are one object.
 */
class EsxInjector : public Application
{
  public:
    /// TracedCallback signature for Tx: packet without Ethernet header, EtherType
    typedef void (*TxCallback)(Ptr<const Packet> packet, uint16_t protocol);

    static TypeId GetTypeId();
    EsxInjector();
    ~EsxInjector() override;

    void SetSource(Ptr<EsxFrameSource> source);
    Ptr<EsxFrameSource> GetSource() const;
    /// The device into whose port, or on whose link, the frames go. Its stack becomes silent.
    void SetDevice(Ptr<NetDevice> device);
    /// Adds a device that frames can be for. Its stack becomes silent.
    void AddTarget(Ptr<NetDevice> target);

    uint64_t GetSent() const; //!< frames put into the port
    /// \return whether the port took a frame for a target. \param target in order of AddTarget()
    bool HasSentTo(uint32_t target) const;

    /// Keeps frames that arrive at this device from its node's stacks from now on.
    static void Silence(const Ptr<NetDevice>& device);

  protected:
    void DoDispose() override;

  private:
    class Arrival;

    void StartApplication() override;
    void StopApplication() override;
    void Await(Time wait);
    void Inject();

    Ptr<EsxFrameSource> m_source;
    Ptr<NetDevice> m_device;
    EsxVirtualNetDevice* m_virtual{nullptr}; //!< the same, if it is one
    std::vector<Mac48Address> m_targets;
    std::vector<bool> m_sentTo; //!< by target
    EsxInjectedFrame m_frame;   //!< the next one
    Ptr<EventImpl> m_arrival;   //!< that of the next frame, and again of each after it
    uint64_t m_sent{0};
    TracedCallback<Ptr<const Packet>, uint16_t> m_txTrace;
};

} // namespace ns3

#endif // ESX_INJECTOR_H

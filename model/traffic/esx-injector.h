// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_INJECTOR_H
#define ESX_INJECTOR_H

#include "ns3/application.h"
#include "ns3/esx-random-user.h"
#include "ns3/esx-ranked-event.h"
#include "ns3/esx-virtual-net-device.h"
#include "ns3/traced-callback.h"

#include <optional>
#include <vector>

namespace ns3
{

/// A frame that is to enter a port.
struct EsxInjectedFrame
{
    Time at;              //!< since the injector's start
    Ptr<Packet> packet;   //!< without its Ethernet header; null until Pass() was asked
    uint16_t protocol{0}; //!< EtherType
    uint32_t target{0};   //!< index of the target whose MAC address is its destination
    std::optional<Mac48Address> source; //!< sender; none: the MAC address of the port's own device
    bool isAnswer{false};               //!< it enters at the target, for the injector's own device
    uint64_t order{0};                  //!< among frames of the same instant and source
    uint32_t flow{0};                   //!< for the source to know it by
};

/// From a device to another one.
struct EsxInjectedWay
{
    NetDevice* from;
    EsxVirtualNetDevice* adapter; //!< the same, if it is one
    NetDevice* to;
    Mac48Address source;
    Mac48Address destination;
};

class EsxInjector;

/// Where an injector takes its frames from: a capture, or a synthetic trace.
class EsxFrameSource : public Object, public EsxRandomUser
{
  public:
    static TypeId GetTypeId();
    ~EsxFrameSource() override;

    /// \param [out] frame the next one; its time is not before that of the one before
    /// \return false if there is none left
    virtual bool Next(EsxInjectedFrame& frame) = 0;

    /// Called once before the first Next(), when the injector starts. \param rank of its frames
    virtual void Begin(EsxInjector& injector, uint64_t rank);
    /// The frame given out last is not sent yet, and comes again: there is an earlier one.
    virtual void Return(const EsxInjectedFrame& frame);
    /// A frame is sent next.
    virtual void Sending(const EsxInjectedFrame& frame);
    /// May count it, in place of having it sent. \return whether it did; else \p frame has a packet
    virtual bool Pass(EsxInjectedFrame& frame, const EsxInjectedWay& way);
    /// It was sent. \param way by which, if the port or link took it
    virtual void Sent(const EsxInjectedFrame& frame, const EsxInjectedWay* way);
    /// No more frames are asked for.
    virtual void End();
    /// \return frames that passed without being given out, before now
    virtual uint64_t CountPassed();

    int64_t AssignStreams(int64_t stream) override;
};

/**
 * Puts frames of a source into the port of a guest's vNIC, or on the link of any Ethernet device,
 * past the node's IP stack: traffic of which only the packets matter. The frames go the way of all
 * others (meter, forwarding, delivery).
 *
 * The stacks at both ends never hear of injected packets, wherever they come from: the devices
 * count and then forget them (see Silence()). So nothing answers them, but for frames of the source
 * that are answers, and there is no ARP: the destination MAC address is that of the target, or of
 * the next router. Other packets come to the stacks as ever. Costs one event a frame, none
 * for frames of one instant and device; all these events are one object.
 */
class EsxInjector : public Application, public EsxRandomUser
{
  public:
    /// TracedCallback signature for Tx: packet without Ethernet header, EtherType
    typedef void (*TxCallback)(Ptr<const Packet> packet, uint16_t protocol);

    static TypeId GetTypeId();
    EsxInjector();
    ~EsxInjector() override;

    void SetSource(Ptr<EsxFrameSource> source);
    Ptr<EsxFrameSource> GetSource() const;
    /// Those of the source.
    int64_t AssignStreams(int64_t stream) override;
    /// The device into whose port, or on whose link, the frames go.
    void SetDevice(Ptr<NetDevice> device);
    /// Adds a device that frames can be for. \param next of the way there: the device's own address
    /// or a router's \param back of the way of answers; none: the injector's device
    void AddTarget(Ptr<NetDevice> target,
                   std::optional<Mac48Address> next = {},
                   std::optional<Mac48Address> back = {});

    uint64_t GetSent() const;   //!< frames put into the port
    uint64_t GetPassed() const; //!< of these, those counted without being sent one by one
    /// Whether somebody sees each frame (trace Tx).
    bool IsObserved() const;
    /// The source has a frame for an instant (since the injector's start) that it did not have when
    /// it was asked last. \param order of the frame
    void Hurry(int64_t at, uint64_t order);
    /// The frame that the source gave out last may not be the next one any more.
    void AskAgain();
    Time GetStart() const; //!< when it started
    /// \return whether the port took a frame for a target. \param target in order of AddTarget()
    bool HasSentTo(uint32_t target) const;

    /// Keeps injected packets that arrive at this device from its node's stacks from now on; of a
    /// device that is no EsxNetDevice, all packets.
    static void Silence(const Ptr<NetDevice>& device);

  protected:
    void DoDispose() override;

  private:
    class Arrival;

    struct End
    {
        Ptr<NetDevice> device;
        EsxVirtualNetDevice* asVirtual{nullptr}; //!< the same, if it is one
    };

    struct Target
    {
        End end;
        Mac48Address next; //!< all zero: nobody has the address of the next router
        std::optional<Mac48Address> back;
        bool sentTo;
    };

    static End MakeEnd(const Ptr<NetDevice>& device);
    const End& SenderOf(const EsxInjectedFrame& frame) const;
    void Send();

    void StartApplication() override;
    void StopApplication() override;
    uint64_t Rank() const;
    void Ask();
    void Take();
    void Await();
    void Inject();

    Ptr<EsxFrameSource> m_source;
    End m_own;
    std::vector<Target> m_targets;
    EsxInjectedFrame m_frame; //!< the next one
    bool m_hasFrame{false};
    bool m_isInjecting{false};
    Time m_start;
    Ptr<Arrival> m_arrival; //!< that of the next frame, and again of each after it
    uint64_t m_sent{0};
    TracedCallback<Ptr<const Packet>, uint16_t> m_txTrace;
};

} // namespace ns3

#endif // ESX_INJECTOR_H

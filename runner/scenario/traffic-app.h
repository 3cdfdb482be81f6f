// SPDX-License-Identifier: GPL-2.0-only
// The applications that traffic of a scenario may be of: a row of a table for each. The schema has
// the same words; keys that are attributes of an application name its type there.
#ifndef ESXNF_TRAFFIC_APP_H
#define ESXNF_TRAFFIC_APP_H

#include <cstdint>
#include <string>
#include <vector>

namespace esxnf
{

/// How traffic of several senders and receivers becomes applications.
enum class TrafficKind
{
    EachReceiver, //!< a sender of its own for each receiver
    AllReceivers, //!< one sender for all receivers
    Flows,        //!< an injector of synthetic flows
    Capture       //!< an injector of a capture's frames
};

struct TrafficApp
{
    std::string word; //!< of traffic.app
    TrafficKind kind;
    std::string sender;   //!< TypeId: of an application, or of an injector's source of frames
    std::string receiver; //!< see EsxTrafficHelper::Install()
    uint8_t protocol;     //!< of IP; 0: its frames have their own
    unsigned traits;      //!< of Trait

    enum Trait
    {
        PORTS = 1,   //!< destination ports tell its packets from others
        ONE_WAY = 2, //!< nothing of it is answered, but for flows with answers
        CONSTANT = 4 //!< rate and packet tell the load
    };

    bool Has(Trait trait) const
    {
        return (traits & trait) != 0;
    }
};

/// In the schema's order.
const std::vector<TrafficApp>& GetTrafficApps();

/// \param word one of traffic.app
const TrafficApp& FindTrafficApp(const std::string& word);

} // namespace esxnf

#endif // ESXNF_TRAFFIC_APP_H

// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * What an administrator reads from NetFlow, from what was collected beside the same from truth: top
 * talkers of each vSwitch, octets in and out of each VM over any time, and addresses that behave
 * irregularly. Read from a result folder.
 *
 * A record says when its first and last packet were, not what lay between: over a window its
 * packets and octets are taken as even from the first millisecond to the last. Truth is taken in
 * the same records and milliseconds, so what differs is what was lost.
 */
#ifndef ESXNF_TALKERS_H
#define ESXNF_TALKERS_H

#include "runner/scenario/yaml-document.h"

#include "ns3/nstime.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

/// Of truth, of what was collected, and of what is neither collected nor lost at the end.
struct TruthAndCollected
{
    uint64_t truth{0};
    uint64_t collected{0};
    uint64_t left{0};
};

/// An address that sent something over a vSwitch; a VM or vmknic at its own one.
struct TalkerUsage
{
    std::string exporter;
    std::string vSwitch;
    std::string address;
    std::string name; //!< of the VM, vmknic or node that has it; may be empty
    TruthAndCollected octets;
    TruthAndCollected packets;
    TruthAndCollected records;
};

/// A VM's address at its own vSwitch.
struct VmUsage
{
    std::string exporter;
    std::string vSwitch;
    std::string name;
    std::string address;
    TruthAndCollected out; //!< octets
    TruthAndCollected in;
};

/// Something about an address that is not as usual.
struct Irregularity
{
    std::string exporter;
    std::string vSwitch;
    std::string address;
    std::string name;
    std::string kind;   //!< fan_out, port_scan, volume
    std::string target; //!< of a port scan: the address whose ports were tried
    TruthAndCollected value;
    uint64_t threshold{0}; //!< of truth
    bool isInTruth{false};
    bool isInCollected{false}; //!< false: the loss hid it, unless it is in what is kept
    bool isInKept{false};      //!< in what was collected and what is left at the end together
    double timesLimit{0};      //!< how irregular it is, in truth or in what was collected
};

struct TalkersOptions
{
    std::optional<ns3::Time> from; //!< none: all
    std::optional<ns3::Time> to;
    std::optional<ns3::Time> last; //!< so much before the end of the run
    std::size_t top{10};           //!< talkers, and irregular addresses, of a vSwitch; 0: all
    uint64_t fanOut{20};           //!< destinations of one source
    uint64_t ports{100};           //!< TCP or UDP ports of one destination, tried by one source:
                                   //!< with a higher port of its own, as who asks has
    double volume{10};             //!< times the median of the vSwitch's sources
};

struct TalkersReport
{
    ns3::Time from;
    ns3::Time to;
    std::vector<TalkerUsage> talkers;    //!< by exporter and vSwitch, most octets of truth first
    std::vector<VmUsage> vms;            //!< in the order of the scenario
    std::vector<Irregularity> irregular; //!< by exporter and vSwitch, the most irregular first
    std::size_t irregularFound{0};       //!< how many there are; irregular holds the first ones
};

/// Throws UserError if the folder is no complete result or the window is empty.
TalkersReport ReadTalkers(const std::string& folder, const TalkersOptions& options);

std::string ToText(const TalkersReport& report);
Json ToJson(const TalkersReport& report);
/// One long table: `kind,exporter,vswitch,address,name,measure,truth,collected,left`.
std::string ToCsv(const TalkersReport& report);

} // namespace esxnf

#endif // ESXNF_TALKERS_H

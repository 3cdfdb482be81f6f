// SPDX-License-Identifier: GPL-2.0-only
// The results of a simulation of one host, without the rest of its lab: all that the lab's own
// simulation needs to tell the same of it. A file of octets: numbers as variable-length integers,
// in the order of the fields here.
#ifndef ESXNF_HOST_BOOK_H
#define ESXNF_HOST_BOOK_H

#include "netflow/journal.h"
#include "runner/simulation/console-window.h"
#include "runner/simulation/traffic-watch.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

/// A record that a poll took.
struct PolledRecord
{
    uint64_t place{0}; //!< in the journal
    netflow::TimeNs queuedAt{0};
    uint32_t expirySequence{0};
};

/// A poll that took records.
struct BookedPoll
{
    int64_t at{0};       //!< simulated time
    uint16_t vSwitch{0}; //!< the first of its process
    std::vector<PolledRecord> records;
};

/// A frame, but no export, that a host sent.
struct BookedFrame
{
    int64_t at{0};         //!< simulated time
    uint32_t uplink{0};    //!< number of its end of a link, in the order of the scenario
    uint64_t exports{0};   //!< that left since the frame before
    uint64_t snapshots{0}; //!< that were taken since then
    bool isInjected{false};
    std::string octets; //!< with its Ethernet header, without padding and FCS
};

/// Rows of numbers, most of which change little from row to row: only changes are kept.
class SnapshotWriter
{
  public:
    void Append(const std::vector<uint64_t>& numbers);
    std::string Take();

  private:
    std::string m_octets;
    std::vector<uint64_t> m_latest;
};

class SnapshotReader
{
  public:
    explicit SnapshotReader(std::string octets);
    /// \return the next row. Throws UserError if there is none.
    const std::vector<uint64_t>& Next();

  private:
    std::string m_octets;
    std::size_t m_at{0};
    std::vector<uint64_t> m_latest;
};

struct HostBook
{
    std::string host;
    std::vector<BookedPoll> polls;
    std::vector<BookedFrame> frames;
    std::vector<netflow::JournalEntry> journal;
    std::vector<std::pair<std::pair<netflow::FlowKey, netflow::Move>, netflow::ShedPackets>> shed;
    std::vector<netflow::FlowRecord> live;
    std::string snapshots; //!< SnapshotReader's
    /// SnapshotReader's, of each export datagram: the number of the vmknic that sent it within the
    /// event of its poll, how many octets come before its payload, and these. Empty: not all were
    /// sent so.
    std::string sends;
    netflow::Counts residual;
    uint64_t breaches{0};
    int64_t tapResidual{0};
    std::vector<LineOutcome> steps; //!< of the timeline's lines, signals and VMs' steps, in order
    std::vector<TrafficOutcome> traffic;      //!< of its senders' pairs
    std::map<std::string, std::string> texts; //!< files of a result folder: logs, console, esxtop
    std::string likeness;                     //!< its configuration at the end and its processes

    /// At once or not at all. Throws UserError.
    void Write(const std::string& path);
    /// Throws UserError: there is none, or it is not whole.
    static HostBook Read(const std::string& path);
};

} // namespace esxnf

#endif // ESXNF_HOST_BOOK_H

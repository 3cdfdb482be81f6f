// SPDX-License-Identifier: GPL-2.0-only
#include "model/ledger/esx-ledger-laws.h"

#include "netflow/journal.h"
#include "netflow/ledger.h"

#include "ns3/enum.h"
#include "ns3/esx-host.h"
#include "ns3/esx-net-netflow.h"
#include "ns3/esx-netflow.h"
#include "ns3/node.h"
#include "ns3/nstime.h"
#include "ns3/uinteger.h"

#include <map>
#include <vector>

namespace ns3
{

namespace
{

using netflow::JournalEntry;
using netflow::Place;

/// One net-netflow process and one of its vSwitches.
struct Session
{
    Time from;
    Time to;
    Time pollPeriod;
    bool atExpiry;
    uint32_t initialSequence;
};

/// All sessions of a host by switch ID, in order of their beginning.
using Sessions = std::map<uint16_t, std::vector<Session>>;

Sessions
SessionsOf(const Ptr<EsxHost>& host)
{
    Sessions sessions;
    for (const Ptr<EsxNetNetflow>& process : host->GetObject<EsxNetflow>()->GetProcesses())
    {
        TimeValue period;
        auto mode = EnumValue(netflow::AT_SEND); // a template since ns-3.41
        UintegerValue initial;
        process->GetAttribute("PollPeriod", period);
        process->GetAttribute("SequenceMode", mode);
        process->GetAttribute("InitialSequence", initial);
        const Time ended = process->GetEndedAt();
        const Session session{process->GetStartedAt(),
                              ended.IsStrictlyNegative() ? Time::Max() : ended,
                              period.Get(),
                              mode.Get() == netflow::AT_EXPIRY,
                              static_cast<uint32_t>(initial.Get())};
        for (const uint16_t id : process->GetRegistered())
        {
            sessions[id].push_back(session);
        }
    }
    return sessions;
}

/// The session in which a datagram was sent; nullptr: none, which is a breach.
const Session*
FindSession(const Sessions& sessions, const EsxExportDatagram& datagram)
{
    const auto ofVSwitch = sessions.find(datagram.vSwitch);
    if (ofVSwitch != sessions.end())
    {
        for (const Session& session : ofVSwitch->second)
        {
            if (session.from <= datagram.sentAt && datagram.sentAt <= session.to)
            {
                return &session;
            }
        }
    }
    return nullptr;
}

/// Records of a vSwitch that no datagram can carry: what numbers may be skipped under AtExpiry.
uint64_t
RecordsWithoutDatagram(const netflow::Account& account)
{
    return account.GetBalance(Place::DROPPED).records +
           account.GetBalance(Place::DISCARDED).records;
}

/// L4
uint64_t
CountBrokenSequences(const Ptr<EsxNetflow>& module,
                     const std::vector<EsxExportDatagram>& datagrams,
                     const Sessions& sessions)
{
    std::map<const Session*, std::map<uint16_t, uint32_t>> expected;
    std::map<uint16_t, uint64_t> skipped;
    uint64_t broken = 0;
    for (const EsxExportDatagram& datagram : datagrams)
    {
        const Session* session = FindSession(sessions, datagram);
        if (!session)
        {
            ++broken;
            continue;
        }
        uint32_t& next =
            expected[session].emplace(datagram.vSwitch, session->initialSequence).first->second;
        const uint32_t gap = datagram.flowSequence - next;
        broken += !session->atExpiry && gap != 0 ? 1 : 0;
        skipped[datagram.vSwitch] += session->atExpiry ? gap : 0;
        next = datagram.flowSequence + static_cast<uint32_t>(datagram.counts.records);
    }
    for (const auto& [vSwitch, records] : skipped)
    {
        const netflow::Account& account = module->GetLedger().GetAccounts().at(vSwitch);
        broken += records > RecordsWithoutDatagram(account) ? 1 : 0;
    }
    return broken;
}

/// L7 of records that were polled.
uint64_t
CountLatePolls(const Ptr<EsxNetflow>& module,
               const std::vector<EsxExportDatagram>& datagrams,
               const Sessions& sessions)
{
    std::vector<int64_t> longest; // by datagram: how long a record may have waited
    longest.reserve(datagrams.size());
    for (const EsxExportDatagram& datagram : datagrams)
    {
        const Session* session = FindSession(sessions, datagram);
        longest.push_back(session ? session->pollPeriod.GetNanoSeconds() : 0);
    }
    uint64_t late = 0;
    for (const JournalEntry& entry : module->GetJournal().GetEntries())
    {
        late += entry.datagram != JournalEntry::NO_DATAGRAM &&
                        entry.movedAt - entry.endedAt > longest.at(entry.datagram)
                    ? 1
                    : 0;
    }
    return late;
}

} // namespace

uint64_t
EsxCountBreaches(const EsxLedger& ledger, const Ptr<EsxHost>& host)
{
    const Ptr<EsxNetflow> module = host->GetObject<EsxNetflow>();
    const std::vector<EsxExportDatagram>& datagrams =
        ledger.GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId());
    const Sessions sessions = SessionsOf(host);
    return CountBrokenSequences(module, datagrams, sessions) +
           CountLatePolls(module, datagrams, sessions) + module->GetBreaches();
}

} // namespace ns3

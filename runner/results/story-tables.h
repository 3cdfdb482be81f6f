// SPDX-License-Identifier: GPL-2.0-only
// records.csv and datagrams.csv: what became of every record and every export datagram, for
// 'explain' and 'talkers' and whoever asks a result folder why. Times are nanoseconds of simulated
// time.
#ifndef ESXNF_STORY_TABLES_H
#define ESXNF_STORY_TABLES_H

#include <string>

namespace esxnf
{

class Simulation;

/// Every record in order of its end, then the live ones; then the shed packets, a row for each flow
/// and cause, without a record.
std::string RecordsTable(const Simulation& simulation);

/// Every datagram in order of sending, and its fate.
std::string DatagramsTable(const Simulation& simulation);

} // namespace esxnf

#endif // ESXNF_STORY_TABLES_H

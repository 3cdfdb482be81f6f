// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * NetFlow v5 as text for people: what 'collect' and 'probe -v' print. One line for the header, one
 * for each record; fields that are 0 in every datagram of ours are shown only where they are not.
 */
#ifndef ESXNF_DATAGRAM_TEXT_H
#define ESXNF_DATAGRAM_TEXT_H

#include "netflow/v5-codec.h"

#include <string>
#include <vector>

namespace esxnf
{

/// "engine 0/1 sequence 0 count 8 uptime 15.020 time 2023-11-14T22:13:35.020000000Z"
std::string HeaderToText(const netflow::V5Header& header);

/// "tcp 10.0.0.1:1000 > 10.0.0.2:80 tos 0x00 in 1 out 0 packets 3 octets 180 first 0.000 last 5.010
/// flags ...AP.SF"; times are seconds of uptime, flags from CWR down to FIN
std::string RecordToText(const netflow::V5Record& record);

/// The header's line and the records' lines, these indented by two spaces; each ends in a newline.
std::string DatagramToText(const netflow::V5Header& header,
                           const std::vector<netflow::V5Record>& records);

} // namespace esxnf

#endif // ESXNF_DATAGRAM_TEXT_H

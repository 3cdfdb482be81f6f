// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Other meters, run over a capture: softflowd, which exports NetFlow v5 to a socket here, and
 * nfpcapd, whose file nfdump reads. The command compare calls this.
 */
#ifndef ESXNF_PEER_H
#define ESXNF_PEER_H

#include "runner/base/interrupt.h"
#include "runner/probe/flow-comparison.h"

#include <string>

namespace esxnf
{

/// Orders for a run of a peer.
struct PeerRun
{
    std::string capture;
    unsigned idleSeconds{15};
    unsigned activeSeconds{300};
};

/// The names that RunPeer() knows.
const std::vector<std::string>& PeerNames();

/**
 * Runs a peer and waits for its end; may take minutes.
 * \return its flows. Throws UserError if it is not installed (the message has the apt
 * line), fails, or is interrupted; and if records were lost on the way here
 */
ComparedFlows RunPeer(const std::string& name,
                      const PeerRun& run,
                      const InterruptCatcher& interrupt);

} // namespace esxnf

#endif // ESXNF_PEER_H

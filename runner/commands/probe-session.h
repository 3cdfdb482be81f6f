// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * One run of the command probe: frames of a file or an interface through a Probe, until their end
 * or a signal; statistics now and then and at the end.
 */
#ifndef ESXNF_PROBE_SESSION_H
#define ESXNF_PROBE_SESSION_H

#include "runner/capture/capture-reader.h"
#include "runner/commands/exit-code.h"
#include "runner/probe/probe-export.h"
#include "runner/probe/probe.h"

#include <cstdint>
#include <string>

namespace esxnf
{

/// Orders of a session of probe.
struct ProbeSessionConfig
{
    std::string capture; //!< a file; "-": standard input
    CapturedLengths lengths{CapturedLengths::TRUE};
    std::string interface;               //!< or a network interface; one of both is empty
    bool promiscuous{true};              //!< of the interface
    uint64_t maxPackets{UINT64_MAX};     //!< ends after so many
    netflow::TimeNs statisticsPeriod{0}; //!< a line each so much uptime, ns; 0: none
    ProbeConfig probe;
    ProbeExportConfig exporting;
};

/**
 * Runs it.
 * \return good; usage if the capture is damaged (what was before the damage is exported);
 * interrupted if a signal ended the reading of a file; residual if the books are not balanced.
 * Throws UserError and CaptureError if it cannot begin.
 */
ExitCode RunProbeSession(const ProbeSessionConfig& config);

} // namespace esxnf

#endif // ESXNF_PROBE_SESSION_H

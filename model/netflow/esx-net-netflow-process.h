// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_NET_NETFLOW_PROCESS_H
#define ESX_NET_NETFLOW_PROCESS_H

#include "ns3/esx-console-process.h"

namespace ns3
{

class EsxNetNetflow;

/// A net-netflow that was started from a console: passes its output and its end to the console,
/// and the console's signals to it.
class EsxNetNetflowProcess : public EsxConsoleProcess
{
  public:
    static TypeId GetTypeId();
    ~EsxNetNetflowProcess() override;

    /// \param program launched, and running
    void Run(const Ptr<EsxNetNetflow>& program);
    void Signal(EsxSignal signal) override;

  protected:
    void DoDispose() override;

  private:
    void Printed(const std::string& line);
    void Ended();

    Ptr<EsxNetNetflow> m_program;
    int m_status{0}; //!< if it ends now
};

} // namespace ns3

#endif // ESX_NET_NETFLOW_PROCESS_H

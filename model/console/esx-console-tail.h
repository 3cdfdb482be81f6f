// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CONSOLE_TAIL_H
#define ESX_CONSOLE_TAIL_H

#include "esx-console-process.h"

namespace ns3
{

class EsxVmkernelLog;

/// tail -f /var/log/vmkernel: prints what is logged until a signal ends it.
class EsxConsoleTail : public EsxConsoleProcess
{
  public:
    static TypeId GetTypeId();
    ~EsxConsoleTail() override;

    void Follow(const Ptr<EsxVmkernelLog>& log);
    void Signal(EsxSignal signal) override;

  protected:
    void DoDispose() override;

  private:
    void Logged(const std::string& line);
    void Leave();

    Ptr<EsxVmkernelLog> m_log;
};

} // namespace ns3

#endif // ESX_CONSOLE_TAIL_H

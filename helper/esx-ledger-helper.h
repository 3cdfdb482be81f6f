// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_LEDGER_HELPER_H
#define ESX_LEDGER_HELPER_H

#include "ns3/esx-expectations.h"
#include "ns3/esx-ledger.h"

#include <functional>
#include <string>

namespace ns3
{

/// Makes the ledger of a simulation, as FlowMonitorHelper makes a FlowMonitor. The ledger and its
/// expectations outlive the helper.
class EsxLedgerHelper
{
  public:
    EsxLedgerHelper() = default;
    EsxLedgerHelper(const EsxLedgerHelper&) = delete;
    EsxLedgerHelper& operator=(const EsxLedgerHelper&) = delete;

    /// Call once, before the run.
    Ptr<EsxLedger> InstallAll();
    Ptr<EsxLedger> GetLedger() const;

    /// Expectations over this ledger, to be added to before the run.
    Ptr<EsxExpectations> GetExpectations();

    void SerializeToXmlFile(const std::string& fileName) const;

  private:
    Ptr<EsxLedger> m_ledger;
    Ptr<EsxExpectations> m_expectations;
};

/**
 * Whether a simulation is deterministic: equal runs give equal results.
 * \param simulate builds, runs and destroys a simulation, and returns whatever must be the same,
 * such as the XML of the ledger. Called twice; random streams must be assigned by it. \return
 * measured: lines of the second text that differ from the first one's; must be 0
 */
EsxVerdict EsxCheckDeterministic(const std::function<std::string()>& simulate);

} // namespace ns3

#endif // ESX_LEDGER_HELPER_H

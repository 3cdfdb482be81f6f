// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ledger-helper.h"

#include "ns3/abort.h"

#include <sstream>

namespace ns3
{

Ptr<EsxLedger>
EsxLedgerHelper::InstallAll()
{
    NS_ABORT_MSG_IF(m_ledger, "the ledger is installed already");
    m_ledger = CreateObject<EsxLedger>();
    m_ledger->InstallAll();
    return m_ledger;
}

Ptr<EsxLedger>
EsxLedgerHelper::GetLedger() const
{
    return m_ledger;
}

Ptr<EsxExpectations>
EsxLedgerHelper::GetExpectations()
{
    NS_ABORT_MSG_UNLESS(m_ledger, "InstallAll() comes first");
    if (!m_expectations)
    {
        m_expectations = CreateObject<EsxExpectations>();
        m_expectations->SetLedger(m_ledger);
    }
    return m_expectations;
}

void
EsxLedgerHelper::SerializeToXmlFile(const std::string& fileName) const
{
    NS_ABORT_MSG_UNLESS(m_ledger, "InstallAll() comes first");
    m_ledger->SerializeToXmlFile(fileName);
}

EsxVerdict
EsxCheckDeterministic(const std::function<std::string()>& simulate)
{
    const std::string one = simulate();
    std::istringstream first(one);
    std::istringstream second(simulate());
    EsxVerdict verdict;
    verdict.expectation.name = "deterministic";
    verdict.expectation.atLeast = 0;
    verdict.expectation.atMost = 0;
    std::string here;
    std::string there;
    while (true)
    {
        const bool more = static_cast<bool>(std::getline(first, here));
        const bool moreThere = static_cast<bool>(std::getline(second, there));
        if (!more && !moreThere)
        {
            break;
        }
        verdict.measured += more != moreThere || here != there ? 1 : 0;
    }
    verdict.pass = verdict.measured == 0 && !one.empty();
    verdict.why = one.empty() ? "there is nothing to compare" : "";
    return verdict;
}

} // namespace ns3

// SPDX-License-Identifier: GPL-2.0-only
// esx_netflow._core: the library and the runner for Python.
#include "bindings.h"

PYBIND11_MODULE(_core, module)
{
    module.doc() = "The library and the runner of esx-netflow.";
    module.attr("version") = ESX_NETFLOW_VERSION;
    module.attr("ns3_version") = ESX_NETFLOW_NS3_VERSION;
    esxnf::BindCodec(module);
    esxnf::BindMetering(module);
    esxnf::BindCaptures(module);
    esxnf::BindResults(module);
    esxnf::BindScenario(module);
}

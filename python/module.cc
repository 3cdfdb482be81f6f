// SPDX-License-Identifier: GPL-2.0-only
// esx_netflow._core: the library and the runner for Python.
#include "bindings.h"
#include "runner/base/version.h"

#include <fmt/format.h>
#include <string>

namespace
{

constexpr bool KNOWS_NUMPY_2 = PYBIND11_VERSION_HEX >= 0x020c0000;

/// An older pybind11 reads a dtype's item size where NumPy 1 has it: with NumPy 2 the strides of
/// all our arrays, and with them every row but the first, would be garbage.
void
RequireNumpyThatPybindKnows()
{
    namespace py = pybind11;
    const auto version = py::module_::import("numpy").attr("__version__").cast<std::string>();
    if (!KNOWS_NUMPY_2 && std::stoi(version) >= 2)
    {
        const std::string text = fmt::format(
            "esx_netflow was built with pybind11 {}.{}, which does not know NumPy {}: use NumPy 1, "
            "or build with pybind11 2.12 or later, as 'pip install .' does",
            PYBIND11_VERSION_MAJOR,
            PYBIND11_VERSION_MINOR,
            version);
        throw py::import_error(text);
    }
}

} // namespace

PYBIND11_MODULE(_core, module)
{
    RequireNumpyThatPybindKnows();
    module.attr("knows_numpy_2") = KNOWS_NUMPY_2;
    module.doc() = "The library and the runner of esx-netflow.";
    module.attr("version") = ESX_NETFLOW_VERSION;
    module.attr("ns3_version") = ESX_NETFLOW_NS3_VERSION;
    esxnf::BindCodec(module);
    esxnf::BindMetering(module);
    esxnf::BindCaptures(module);
    esxnf::BindResults(module);
    esxnf::BindScenario(module);
}

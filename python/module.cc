// SPDX-License-Identifier: GPL-2.0-only
// esx_netflow._core: the runner and the v5 decoder for Python. Binds, and holds no logic;
// esx_netflow/__init__.py is what users see.
#include "netflow/v5-codec.h"
#include "results.h"
#include "runner/cli.h"
#include "runner/results.h"
#include "runner/scenario-diagnostic.h"
#include "runner/summary.h"
#include "runner/topology.h"

#include <exception>
#include <optional>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace esxnf
{

namespace
{

/// The heartbeat of a run: lets Python handle signals and tells the progress. An error ends the run
/// and is raised after it.
class PythonHeartbeat
{
  public:
    explicit PythonHeartbeat(py::object progress)
        : m_progress(std::move(progress))
    {
    }

    bool Beat(const Progress& progress)
    {
        const py::gil_scoped_acquire gil;
        try
        {
            if (PyErr_CheckSignals() != 0)
            {
                throw py::error_already_set();
            }
            if (!m_progress.is_none())
            {
                m_progress(progress.now.GetSeconds(), progress.end.GetSeconds());
            }
        }
        catch (py::error_already_set&)
        {
            m_error = std::current_exception();
        }
        return !m_error;
    }

    void Rethrow() const
    {
        if (m_error)
        {
            std::rethrow_exception(m_error);
        }
    }

  private:
    py::object m_progress;
    std::exception_ptr m_error;
};

void
RefuseLoops(const Scenario& scenario)
{
    const Diagnostics loops = CheckLoops(Topology(scenario));
    if (HasErrors(loops))
    {
        throw ScenarioError(loops);
    }
}

py::dict
Run(const std::string& path,
    const std::optional<std::string>& out,
    std::optional<uint32_t> seed,
    std::optional<uint32_t> run,
    bool captures,
    const py::object& progress)
{
    Overrides overrides;
    if (seed)
    {
        overrides.emplace_back("/run/seed", *seed);
    }
    if (run)
    {
        overrides.emplace_back("/run/run", *run);
    }
    const Scenario scenario = LoadScenario(path, overrides);
    RefuseLoops(scenario);
    std::optional<ResultFolder> folder;
    PythonHeartbeat heartbeat(progress);
    SimulationOptions options;
    if (out)
    {
        folder.emplace(*out);
        options.directory = folder->GetPath();
        options.captureEverything = captures;
    }
    options.heartbeat = [&](const Progress& now) { return heartbeat.Beat(now); };
    Simulation simulation(scenario, options);
    {
        const py::gil_scoped_release released;
        simulation.Run();
    }
    heartbeat.Rethrow();
    const Summary summary = Summarize(simulation);
    if (folder)
    {
        WriteResults(simulation, summary, folder->GetPath());
        folder->Commit();
    }
    py::dict result = TablesOf(simulation);
    result["summary_json"] = ToJson(summary).dump();
    result["text"] = ToText(summary, out.value_or("(not written)"));
    return result;
}

py::tuple
DecodeOne(const py::bytes& datagram)
{
    const std::string_view octets = datagram;
    netflow::V5Header header;
    std::vector<netflow::V5Record> records;
    const netflow::V5Error error =
        netflow::DecodeV5(reinterpret_cast<const uint8_t*>(octets.data()),
                          octets.size(),
                          header,
                          records);
    if (error != netflow::V5Error::NONE)
    {
        throw py::value_error(netflow::ToString(error));
    }
    auto* owned = new std::vector<netflow::V5Record>(std::move(records));
    const py::capsule owner(owned, [](void* vector) {
        delete static_cast<std::vector<netflow::V5Record>*>(vector);
    });
    return py::make_tuple(py::array_t<netflow::V5Header>(1, &header),
                          py::array_t<netflow::V5Record>(owned->size(), owned->data(), owner));
}

} // namespace

} // namespace esxnf

PYBIND11_MODULE(_core, module)
{
    using netflow::V5Header;
    using netflow::V5Record;
    module.doc() = "The runner and the NetFlow v5 decoder of esx-netflow.";
    esxnf::RegisterResultTypes();
    PYBIND11_NUMPY_DTYPE_EX(V5Header,
                            count,
                            "count",
                            sysUptime,
                            "sys_uptime",
                            unixSecs,
                            "unix_secs",
                            unixNsecs,
                            "unix_nsecs",
                            flowSequence,
                            "flow_sequence",
                            engineType,
                            "engine_type",
                            engineId,
                            "engine_id",
                            samplingInterval,
                            "sampling_interval");
    PYBIND11_NUMPY_DTYPE_EX(V5Record,
                            srcAddr,
                            "srcaddr",
                            dstAddr,
                            "dstaddr",
                            nextHop,
                            "nexthop",
                            dPkts,
                            "dPkts",
                            dOctets,
                            "dOctets",
                            first,
                            "First",
                            last,
                            "Last",
                            input,
                            "input",
                            output,
                            "output",
                            srcPort,
                            "srcport",
                            dstPort,
                            "dstport",
                            srcAs,
                            "src_as",
                            dstAs,
                            "dst_as",
                            tcpFlags,
                            "tcp_flags",
                            prot,
                            "prot",
                            tos,
                            "tos",
                            srcMask,
                            "src_mask",
                            dstMask,
                            "dst_mask");
    py::register_exception<esxnf::ScenarioError>(module, "ScenarioError", PyExc_ValueError);
    py::register_exception<esxnf::CommandError>(module, "RunError", PyExc_RuntimeError);
    module.attr("version") = ESX_NETFLOW_VERSION;
    module.def("run",
               &esxnf::Run,
               py::arg("path"),
               py::arg("out") = py::none(),
               py::arg("seed") = py::none(),
               py::arg("run") = py::none(),
               py::arg("captures") = false,
               py::arg("progress") = py::none());
    module.def("decode_v5", &esxnf::DecodeOne, py::arg("datagram"));
}

// SPDX-License-Identifier: GPL-2.0-only
// The parts of esx_netflow._core, one function each; module.cc calls them once, at import. They
// bind and hold no logic: what users see, with its defaults and its docstrings, is Python.
#ifndef ESXNF_PYTHON_BINDINGS_H
#define ESXNF_PYTHON_BINDINGS_H

#include <pybind11/numpy.h>
#include <utility>
#include <vector>

namespace esxnf
{

void BindCodec(pybind11::module_& module);    //!< NetFlow v5 on whole buffers
void BindMetering(pybind11::module_& module); //!< cache, purgatory, exporter
void BindCaptures(pybind11::module_& module); //!< captures through all three; after BindMetering
void BindResults(pybind11::module_& module);  //!< tables of a run
void BindScenario(pybind11::module_& module); //!< reading, checking and running scenarios

/// An array that owns the vector: nothing is copied on the way to Python. Read-only.
template <typename Entry>
pybind11::array
ToArray(std::vector<Entry> entries, const pybind11::dtype& type = pybind11::dtype::of<Entry>())
{
    namespace py = pybind11;
    auto* owned = new std::vector<Entry>(std::move(entries));
    const py::capsule owner(owned,
                            [](void* vector) { delete static_cast<std::vector<Entry>*>(vector); });
    const auto rows = static_cast<py::ssize_t>(owned->size() * sizeof(Entry) / type.itemsize());
    py::array array(type, {rows}, {type.itemsize()}, owned->data(), owner);
    array.attr("flags").attr("writeable") = false;
    return array;
}

} // namespace esxnf

#endif // ESXNF_PYTHON_BINDINGS_H

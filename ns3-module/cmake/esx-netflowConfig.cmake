# SPDX-License-Identifier: GPL-2.0-only
# find_package(esx-netflow): the target esx-netflow::module, which brings the ns-3 that it was built with. CMAKE_PREFIX_PATH says
# where that is, unless it is the system's.
include(${CMAKE_CURRENT_LIST_DIR}/Ns3Standalone.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/esx-netflowTargets.cmake)

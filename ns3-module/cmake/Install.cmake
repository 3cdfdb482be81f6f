# SPDX-License-Identifier: GPL-2.0-only
# cmake --install: the program with its data, and the module for scripts elsewhere, by find_package(esx-netflow) or pkg-config.
# Headers lie as in the sources and in ns-3: <ns3/esx-host.h>, <netflow/flow-record.h>.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(enf_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/esx-netflow)
set_target_properties(esx-netflow-module PROPERTIES EXPORT_NAME module INSTALL_RPATH_USE_LINK_PATH ON)
target_compile_features(esx-netflow-module INTERFACE cxx_std_${NS3STD_CXX_STANDARD})
install(TARGETS netflow esx-netflow-module EXPORT esx-netflow LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT esx-netflow NAMESPACE esx-netflow:: FILE esx-netflowTargets.cmake DESTINATION ${enf_cmake_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/esx-netflowConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(
  FILES ns3-module/cmake/esx-netflowConfig.cmake ns3-module/cmake/Ns3Standalone.cmake
        ${CMAKE_BINARY_DIR}/generated/esx-netflowConfigVersion.cmake
  DESTINATION ${enf_cmake_dir}
)
set(enf_all "#pragma once\n")
foreach(enf_header ${enf_module_headers})
  get_filename_component(enf_name ${enf_header} NAME)
  string(APPEND enf_all "#include <ns3/${enf_name}>\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/esx-netflow-module.h CONTENT "${enf_all}" @ONLY)
install(FILES ${enf_module_headers} ${CMAKE_BINARY_DIR}/generated/esx-netflow-module.h DESTINATION include/esx-netflow/ns3)
install(DIRECTORY netflow DESTINATION include/esx-netflow FILES_MATCHING PATTERN "*.h")

# pkg-config names ns-3's libraries by their files: what they are called differs from installation to installation
set(enf_pc_libraries)
foreach(enf_module applications bridge core csma internet network traffic-control)
  set(enf_target ns3std::${enf_module})
  get_target_property(enf_type ${enf_target} TYPE)
  if(enf_type STREQUAL INTERFACE_LIBRARY)
    get_target_property(enf_target ${enf_target} INTERFACE_LINK_LIBRARIES)
  endif()
  string(APPEND enf_pc_libraries " $<TARGET_FILE:${enf_target}>")
endforeach()
if(ns3std_alone) # a wheel's headers without the Boost beside them, and libraries where no loader looks
  install(DIRECTORY ${NS3STD_INCLUDE_DIR}/ DESTINATION include/esx-netflow/alone)
  set(enf_pc_include \${prefix}/include/esx-netflow/alone)
  string(APPEND enf_pc_libraries " -Wl,-rpath,${ns3std_link_dir}")
else()
  string(REGEX REPLACE "/$" "" enf_pc_include ${NS3STD_INCLUDE_DIR})
endif()
file(RELATIVE_PATH enf_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(ns3-module/cmake/esx-netflow.pc.in ${CMAKE_BINARY_DIR}/generated/esx-netflow.pc @ONLY)
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/esx-netflow.pc INPUT ${CMAKE_BINARY_DIR}/generated/esx-netflow.pc)
install(FILES ${CMAKE_BINARY_DIR}/esx-netflow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET esx-netflow)
  set_target_properties(esx-netflow PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}" INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS esx-netflow RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
enf_install_data(share/esx-netflow data)

# SPDX-License-Identifier: GPL-2.0-only
# Finds an installed ns-3, 3.37 or newer, and makes
#   ns3std::<module>      one target for each of the modules below that is installed
#   NS3STD_VERSION        "3.37", "3.48", "3.dev"
#   NS3STD_CXX_STANDARD   the language level that the installed headers need
#   ns3std_headers()      see below
# Three kinds of installation: that of `./ns3 install`, through its ns3Config.cmake; and two whose libraries are imported one
# by one: Debian's libns3-dev, whose ns3Config.cmake stops with an error unless five more packages are there, and the wheel
# `ns3` of PyPI, whose ns3Config.cmake names folders of the machine that built it.
include_guard()

set(NS3STD_MODULES
    applications
    bridge
    core
    csma
    fd-net-device
    flow-monitor
    internet
    mobility
    mpi
    netanim
    network
    nix-vector-routing
    point-to-point
    stats
    topology-read
    traffic-control
    virtual-net-device
)

# ---------------------------------------------------------------- where it is
# Everything comes from the prefix of ns3Config.cmake: headers of one installation with libraries of another would link.
# CMAKE_PREFIX_PATH (variable or environment) goes before /usr.
find_file(
  NS3STD_CONFIG ns3Config.cmake
  HINTS ${ns3_DIR}
  PATH_SUFFIXES lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/ns3 lib/cmake/ns3 lib64/cmake/ns3
  NO_CACHE # another CMAKE_PREFIX_PATH is another ns-3
)
if(NOT NS3STD_CONFIG)
  message(FATAL_ERROR "ns-3 not found: ./setup deps installs Debian's (libns3-dev); CMAKE_PREFIX_PATH says where another is.")
endif()
get_filename_component(ns3std_config_dir ${NS3STD_CONFIG} DIRECTORY)
get_filename_component(ns3std_link_dir ${ns3std_config_dir}/../.. ABSOLUTE)
find_path(
  NS3STD_INCLUDE_DIR ns3/core-module.h
  HINTS ${ns3std_link_dir}/../include ${ns3std_link_dir}/../../include
  NO_DEFAULT_PATH NO_CACHE
)
if(NOT NS3STD_INCLUDE_DIR)
  message(FATAL_ERROR "ns-3 of ${ns3std_config_dir} has no headers: install them (Debian: ./setup deps).")
endif()
file(STRINGS ${ns3std_config_dir}/ns3ConfigVersion.cmake ns3std_line REGEX "^set\\(PACKAGE_VERSION \"")
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" NS3STD_VERSION "${ns3std_line}")

# 3.37 to 3.40 are C++17, up to 3.45 C++20, later ones C++23; "3.dev" is newer than any release.
set(NS3STD_CXX_STANDARD 23)
if(NS3STD_VERSION MATCHES "^3\\.([0-9]+)")
  if(CMAKE_MATCH_1 LESS 37)
    message(FATAL_ERROR "ns-3 ${NS3STD_VERSION} of ${ns3std_config_dir} is too old, 3.37 is needed: ./setup deps installs Debian's.")
  elseif(CMAKE_MATCH_1 LESS 41)
    set(NS3STD_CXX_STANDARD 17)
  elseif(CMAKE_MATCH_1 LESS 46)
    set(NS3STD_CXX_STANDARD 20)
  endif()
endif()

# ---------------------------------------------------------------- targets
set(ns3std_prefix)
set(ns3std_alone OFF)
if(EXISTS ${ns3std_link_dir}/libns3-core.so) # no version in the name: a distribution's
  set(ns3std_prefix ${ns3std_link_dir}/libns3-)
elseif(EXISTS ${NS3STD_INCLUDE_DIR}/boost) # the wheel: an old Boost lies beside ns-3's headers and must not hide the system's
  set(ns3std_prefix ${ns3std_link_dir}/libns${NS3STD_VERSION}-)
  set(ns3std_alone ON)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/ns3-headers)
  file(CREATE_LINK ${NS3STD_INCLUDE_DIR}/ns3 ${CMAKE_BINARY_DIR}/ns3-headers/ns3 SYMBOLIC)
  set(NS3STD_INCLUDE_DIR ${CMAKE_BINARY_DIR}/ns3-headers)
endif()
if(ns3std_prefix)
  foreach(ns3std_module ${NS3STD_MODULES})
    set(ns3std_file ${ns3std_prefix}${ns3std_module}.so)
    if(EXISTS ${ns3std_file})
      add_library(ns3std::${ns3std_module} SHARED IMPORTED)
      # These libraries log and do not assert; in a Debug build our own files and ns-3's templates do both.
      set_target_properties(
        ns3std::${ns3std_module}
        PROPERTIES IMPORTED_LOCATION ${ns3std_file}
                   INTERFACE_INCLUDE_DIRECTORIES ${NS3STD_INCLUDE_DIR}
                   INTERFACE_COMPILE_DEFINITIONS "NS3_LOG_ENABLE;$<$<CONFIG:Debug>:NS3_ASSERT_ENABLE>"
      )
    endif()
  endforeach()
else()
  find_package(ns3 CONFIG REQUIRED PATHS ${ns3std_config_dir} NO_DEFAULT_PATH)
  foreach(ns3std_module ${NS3STD_MODULES})
    foreach(ns3std_target ns3::${ns3std_module} ns3::lib${ns3std_module}) # since 3.43, up to 3.42
      if(TARGET ${ns3std_target} AND NOT TARGET ns3std::${ns3std_module})
        add_library(ns3std::${ns3std_module} INTERFACE IMPORTED)
        target_link_libraries(ns3std::${ns3std_module} INTERFACE ${ns3std_target})
      endif()
    endforeach()
  endforeach()
endif()

# The headers of 3.37 to 3.40 spell two constructors Singleton<T>(), which g++ refuses from C++20 on. Corrected copies,
# included first, make the installed ones empty: they have the same include guards.
if(NS3STD_CXX_STANDARD EQUAL 17 AND CMAKE_CXX_STANDARD GREATER 17)
  file(READ ${NS3STD_INCLUDE_DIR}/ns3/singleton.h ns3std_singleton)
  file(READ ${NS3STD_INCLUDE_DIR}/ns3/simulation-singleton.h ns3std_simulation_singleton)
  string(REGEX REPLACE "((Simulation)?Singleton)<T>\\(" "\\1(" ns3std_text "${ns3std_singleton}${ns3std_simulation_singleton}")
  string(REPLACE "#include \"simulator.h\"" "#include <ns3/simulator.h>" ns3std_text "${ns3std_text}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/ns3-singletons.h CONTENT "@ns3std_text@" @ONLY)
  set_property(TARGET ns3std::core APPEND PROPERTY INTERFACE_COMPILE_OPTIONS "SHELL:-include \"${CMAKE_BINARY_DIR}/ns3-singletons.h\"")
endif()

message(STATUS "ns-3 ${NS3STD_VERSION} (C++${NS3STD_CXX_STANDARD}) of ${ns3std_config_dir}")

# ns3std_headers(module header...): forwarding headers in <build>/include/ns3, where an ns-3 tree puts the headers
# themselves, and <module>-module.h with all of them
function(ns3std_headers module)
  set(all "#pragma once\n")
  foreach(header ${ARGN})
    get_filename_component(name ${header} NAME)
    file(RELATIVE_PATH path ${CMAKE_BINARY_DIR}/include/ns3 ${CMAKE_CURRENT_SOURCE_DIR}/${header})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/include/ns3/${name} CONTENT "#include \"${path}\"\n" @ONLY)
    string(APPEND all "#include <ns3/${name}>\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/include/ns3/${module}-module.h CONTENT "${all}" @ONLY)
endfunction()

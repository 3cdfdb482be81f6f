# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx: the API reference of the Python package, from its docstrings. The test docs.api builds it without a warning."""
import esx_netflow

project = "esx-netflow"
author = "the authors of esx-netflow"
version = release = esx_netflow.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "alabaster"
html_theme_options = {"description": "NetFlow v5 of VMware ESX Server 3.5", "fixed_sidebar": True}
html_show_copyright = False
html_last_updated_fmt = None
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

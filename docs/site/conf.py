# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx: the documentation site, of the folder that make.py puts together (./setup docs). The test docs.api builds its
API reference alone."""

import esx_netflow

project = "esx-netflow"
author = "the authors of esx-netflow"
version = release = esx_netflow.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_parser"]
myst_heading_anchors = 4
html_theme = "alabaster"
html_theme_options = {
    "description": "NetFlow v5 of VMware ESX Server 3.5",
    "page_width": "1100px",
    "fixed_sidebar": True,
}
html_sidebars = {"**": ["about.html", "searchbox.html", "navigation.html"]}
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_show_copyright = False
html_last_updated_fmt = None
highlight_language = "none"
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

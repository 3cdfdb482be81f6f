# SPDX-License-Identifier: GPL-2.0-only
"""The independent judge: truth from captures, in Python, sharing no code with the product."""

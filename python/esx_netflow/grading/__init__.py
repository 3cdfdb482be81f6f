# SPDX-License-Identifier: GPL-2.0-only
"""Real collectors put to the test: what one stored against what it was sent."""

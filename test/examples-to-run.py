#! /usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# For test.py of an ns-3 tree: name with arguments, whether to run it, whether under valgrind too.
cpp_examples = [
    ("esx-any-network", "True", "False"),
    ("esx-console", "True", "False"),
    ("esx-branch-offices", "True", "True"),
    ("esx-first", "True", "True"),
    ("esx-full-duplex", "True", "False"),
    ("esx-memory", "True", "False"),
    ("esx-purgatory", "True", "False"),
    ("esx-real-collector", "True", "False"),
    ("esx-results", "True", "False"),
    ("esx-rings", "True", "False"),
    ("esx-security", "True", "False"),
    ("esx-shaping", "True", "False"),
    ("esx-teaming", "True", "False"),
]
python_examples = []

// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-emitter.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

TEST(YamlEmitter, WhatIsEmittedIsReadBackTheSame)
{
    const Json value =
        Json::parse(R"({"z": 1, "a": [1, 2.5, "3"], "e": {}, "l": [], "n": null, "t": true,
        "m": {"x y": "a: b", "10": "true"}, "s": ["yes", "2008-10-26", "# no", "", " pad ", "line\nbreak", "\u20ac", "~"],
        "nested": [[1, [2]], {"k": [{"v": -0.125}]}], "big": 4294967296, "small": 1e-9})");
    const auto text = EmitYaml(value);
    EXPECT_EQ(YamlDocument::Parse(text, "f").GetRoot(), value) << text;
    EXPECT_EQ(EmitYaml(YamlDocument::Parse(text, "f").GetRoot()), text);
    EXPECT_NE(text.find("\"yes\""), std::string::npos); // PyYAML would make it a bool
    EXPECT_NE(text.find("\"2008-10-26\""), std::string::npos);
}

} // namespace
} // namespace esxnf

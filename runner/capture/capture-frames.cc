// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-frames.h"

namespace esxnf
{

CaptureFrames::CaptureFrames(const std::string& path)
    : m_path(path)
{
    const std::string wrong = Open(path);
    if (!wrong.empty())
    {
        throw CaptureError(wrong);
    }
}

bool
CaptureFrames::Next(ns3::EsxInjectedFrame& frame)
{
    const bool more = ns3::EsxCaptureFrames::Next(frame);
    const std::string damage = more ? "" : GetDamage();
    if (!damage.empty())
    {
        throw CaptureError(m_path + ": " + damage);
    }
    return more;
}

} // namespace esxnf

// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-frames.h"

namespace esxnf
{

CaptureFrames::CaptureFrames(const std::string& path)
{
    const std::string wrong = Open(path);
    if (!wrong.empty())
    {
        throw CaptureError(wrong);
    }
}

} // namespace esxnf

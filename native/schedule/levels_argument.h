// Noise levels as JavaScript describes them: plain numbers, which every addon makes its own levels of.
#pragma once

#include <napi.h>

#include <memory>

#include "schedule/noise_levels.h"

namespace latentd {

/// Marks the JavaScript class NoiseLevels, whichever addon made the object.
constexpr napi_type_tag kNoiseLevelsTag = {0x4d6f64656c53616dULL, 0x706c696e674c6461ULL};

/// [kind, linearStart, linearEnd, zeroTerminalSnr] or [kind, sigmaMin, sigmaMax]. Throws a RangeError that
/// names what is wrong.
std::unique_ptr<NoiseLevels> MakeLevels(const Napi::Array& description);

/// The levels that a JavaScript NoiseLevels describes; throws a TypeError for anything else.
std::unique_ptr<NoiseLevels> RequireLevels(const Napi::Value& value, const char* name);

}  // namespace latentd

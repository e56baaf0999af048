// What JavaScript says of a sampler's run, checked.
#pragma once

#include <napi.h>

#include "samplers/sampling.h"
#include "samplers/table.h"

namespace latentd {

/// Throws a RangeError for an unknown name.
const Sampler& RequireSampler(const Napi::Value& name);

/// Of an object like SamplerRunInit (src/native/sampler-types.ts).
Sampling::Setup RequireSetup(const Napi::Value& init, const Sampler& sampler);

}  // namespace latentd

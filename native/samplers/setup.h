// What JavaScript says of a sampler's run, checked.
#pragma once

#include <napi.h>

#include <memory>

#include "samplers/prepared_sampler.h"
#include "samplers/sampling.h"
#include "samplers/table.h"

namespace latentd {

/// Throws a RangeError for an unknown name.
const Sampler& RequireSampler(const Napi::Value& name);

/// Of an object like SamplerRunInit (src/native/sampler-types.ts).
Sampling::Setup RequireSetup(const Napi::Value& init, const Sampler& sampler);

/// A sampler's name, and such an object: for whoever runs the sampler without JavaScript.
std::unique_ptr<PreparedSampler> RequirePrepared(const Napi::Value& name, const Napi::Value& init);

}  // namespace latentd

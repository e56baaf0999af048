#pragma once

#include <napi.h>

namespace latentd {

/// Exports resizeLinear, warpAffine and pasteFace.
void RegisterOpencv(Napi::Env env, Napi::Object exports);

}  // namespace latentd

// The imaging functions' JavaScript face: resize, bislerp, lanczos, pixels.
#pragma once

#include <napi.h>

namespace latentd {

void RegisterImaging(Napi::Env env, Napi::Object exports);

}  // namespace latentd

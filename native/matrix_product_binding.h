// The addon's `addProduct`.
#pragma once

#include <napi.h>

namespace latentd {

void RegisterMatrixProduct(Napi::Env env, Napi::Object exports);

}  // namespace latentd

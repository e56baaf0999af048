// The addon's arithmetic for LoRAs.
#pragma once

#include <napi.h>

namespace latentd {

void RegisterLora(Napi::Env env, Napi::Object exports);

}  // namespace latentd

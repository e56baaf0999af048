// What the daemon and its engine ask of Linux that Node.js has no function for.
#pragma once

#include <napi.h>

namespace latentd {

/// Registers `notifyService`, `endWithParent` and `giveBackMemory`.
void RegisterProcess(Napi::Env env, Napi::Object exports);

}  // namespace latentd

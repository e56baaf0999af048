// Signals that ask a process to end, where its event loop can't see to them: JavaScript in a loop that gives
// no turn.
#pragma once

#include <napi.h>

namespace latentd {

/// Registers `guardSignals`, `answerSignal`, `releaseSignals`, `trackTemporary` and `untrackTemporary`.
void RegisterSignalGuard(Napi::Env env, Napi::Object exports);

}  // namespace latentd

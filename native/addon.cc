// The addon's door: the only file that registers names with N-API.
#include <napi.h>

#include "mapped_file.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  latentd::MappedFile::Register(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(latentd, Init)

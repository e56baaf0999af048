#include "ort_api.h"

#include <dlfcn.h>

#include <mutex>

namespace latentd::onnx {

const void* const* g_api = nullptr;

OrtEnv* LoadRuntime(const std::string& path) {
  // Neither the library nor its environment is ever released: threads of it may still run while the process
  // exits.
  static OrtEnv* env = nullptr;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (env != nullptr) return env;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  auto* get_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (get_base == nullptr) throw std::runtime_error(path + " is not ONNX Runtime: " + dlerror());
  const OrtApiBase* base = get_base();
  g_api = base->get_api(kApiVersion);
  if (g_api == nullptr) {
    throw std::runtime_error(path + " is ONNX Runtime " + base->get_version() + ", older than 1." +
                             std::to_string(kApiVersion));
  }
  // Failures come back as statuses, with the same words.
  constexpr int kFatalOnly = 4;
  OrtEnv* created = nullptr;
  Check(api::kCreateEnv(kFatalOnly, "latentd", &created));
  // One arena for all sessions: what one model's activations needed serves the next model.
  constexpr int kArenaAllocator = 1;
  constexpr int kDefaultMemory = 0;
  OrtMemoryInfo* memory = nullptr;
  Check(api::kCreateCpuMemoryInfo(kArenaAllocator, kDefaultMemory, &memory));
  OrtStatus* shared = api::kShareAllocator(created, memory, nullptr);
  api::kReleaseMemoryInfo(memory);
  Check(shared);
  env = created;
  return env;
}

}  // namespace latentd::onnx

#include "onnx/ort_api.h"

#include <dlfcn.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "onnx/activation_memory.h"

namespace latentd::onnx {

const void* const* g_api = nullptr;

namespace {

struct SessionAllocator : OrtAllocator {
  OrtMemoryInfo* description = nullptr;
};

/// What every session takes its tensors from; never destroyed, as ORT keeps its address.
OrtAllocator& SharedAllocator() {
  static SessionAllocator& shared = *[] {
    auto made = std::make_unique<SessionAllocator>();
    constexpr int kDeviceAllocator = 0;
    constexpr int kDefaultMemory = 0;
    Check(api::kCreateCpuMemoryInfo(kDeviceAllocator, kDefaultMemory, &made->description));
    made->allocate = [](OrtAllocator*, size_t bytes) { return SharedActivationMemory().Allocate(bytes); };
    made->reserve = made->allocate;
    made->free = [](OrtAllocator*, void* memory) { SharedActivationMemory().Free(memory); };
    made->info = [](const OrtAllocator* self) -> const OrtMemoryInfo* {
      return static_cast<const SessionAllocator*>(self)->description;
    };
    return made.release();
  }();
  return shared;
}

}  // namespace

void DisableTelemetry() {
  constexpr int kOverwrite = 1;
  if (setenv("ORT_DISABLE_TELEMETRY", "1", kOverwrite) != 0) {
    throw std::runtime_error(std::string("ORT_DISABLE_TELEMETRY can't be set: ") + std::strerror(errno));
  }
}

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
  Check(api::kRegisterAllocator(created, &SharedAllocator()));
  env = created;
  return env;
}

}  // namespace latentd::onnx

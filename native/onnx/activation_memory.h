// Memory for the tensors between operators, for all sessions of the process.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <mutex>

namespace latentd::onnx {

/// One range of addresses whose pages are touched from the bottom up. Freed memory is handed out again,
/// lowest addresses first, so that steps that repeat touch no new page and models that follow each other
/// share theirs; what no run of late needed is given back to the system. Huge pages are used where the system
/// has them. Safe to use from several threads.
class ActivationMemory {
 public:
  ActivationMemory() = default;
  ~ActivationMemory();
  ActivationMemory(const ActivationMemory&) = delete;
  ActivationMemory& operator=(const ActivationMemory&) = delete;

  /// `bytes` of memory on a cache line's boundary; null when there is none left.
  void* Allocate(size_t bytes) noexcept;
  void Free(void* memory) noexcept;

  /// Tells that a model has run. Memory that none of the last runs needed goes back to the system.
  void EndRun() noexcept;

 private:
  bool Reserve();

  static constexpr size_t kRunsRemembered = 64;

  std::mutex mutex_;
  char* base_ = nullptr;
  size_t size_ = 0;
  /// Free runs of bytes by their offset; neighbours are joined.
  std::map<size_t, size_t> free_;
  /// End of the highest memory in use since the last run, and of the highest that was touched and not given
  /// back.
  size_t peak_ = 0;
  size_t touched_ = 0;
  std::array<size_t, kRunsRemembered> peaks_{};
  size_t runs_ = 0;
};

/// The process's own; never destroyed.
ActivationMemory& SharedActivationMemory();

}  // namespace latentd::onnx

#include "onnx/activation_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <new>

namespace latentd::onnx {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
/// Addresses cost nothing; a system that limits them gets asked for fewer.
constexpr size_t kMostAddresses = size_t{1} << 40;
constexpr size_t kFewestAddresses = size_t{1} << 30;

/// Lies before the memory that is handed out.
struct alignas(kLine) Header {
  /// Of the whole block; 0 for memory of the C library's.
  size_t bytes;
};

}  // namespace

ActivationMemory::~ActivationMemory() {
  if (base_ != nullptr) munmap(base_, size_);
}

bool ActivationMemory::Reserve() {
  if (base_ != nullptr) return true;
  for (size_t size = kMostAddresses; size >= kFewestAddresses; size /= 2) {
    void* memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) continue;
    // Only advice: a refusal changes nothing but speed.
    madvise(memory, size, MADV_HUGEPAGE);
    base_ = static_cast<char*>(memory);
    size_ = size;
    free_.emplace(0, size);
    return true;
  }
  return false;
}

void* ActivationMemory::Allocate(size_t bytes) noexcept {
  if (bytes < kPage) {
    void* memory = nullptr;
    if (posix_memalign(&memory, kLine, bytes + sizeof(Header)) != 0) return nullptr;
    return new (memory) Header{0} + 1;
  }
  const size_t wanted = (bytes + sizeof(Header) + kPage - 1) / kPage * kPage;
  try {
    const std::lock_guard lock(mutex_);
    if (!Reserve()) return nullptr;
    const auto fit =
        std::find_if(free_.begin(), free_.end(), [&](const auto& run) { return run.second >= wanted; });
    if (fit == free_.end()) return nullptr;
    const auto [offset, size] = *fit;
    if (size > wanted) free_.emplace_hint(std::next(fit), offset + wanted, size - wanted);
    free_.erase(fit);
    peak_ = std::max(peak_, offset + wanted);
    touched_ = std::max(touched_, peak_);
    return new (base_ + offset) Header{wanted} + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void ActivationMemory::Free(void* memory) noexcept {
  if (memory == nullptr) return;
  Header* header = static_cast<Header*>(memory) - 1;
  if (header->bytes == 0) {
    std::free(header);
    return;
  }
  const std::lock_guard lock(mutex_);
  size_t offset = static_cast<size_t>(reinterpret_cast<char*>(header) - base_);
  size_t size = header->bytes;
  auto next = free_.lower_bound(offset);
  if (next != free_.end() && next->first == offset + size) {
    size += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      before->second += size;
      return;
    }
  }
  free_.emplace_hint(next, offset, size);
}

void ActivationMemory::EndRun() noexcept {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return;
  peaks_[runs_++ % kRunsRemembered] = peak_;
  const auto [tail, size] = *free_.rbegin();
  const size_t in_use = tail + size == size_ ? tail : size_;
  peak_ = in_use;
  const size_t needed = std::max(in_use, *std::max_element(peaks_.begin(), peaks_.end()));
  const size_t keep = (needed + kHugePage - 1) / kHugePage * kHugePage;
  if (touched_ <= keep) return;
  madvise(base_ + keep, touched_ - keep, MADV_DONTNEED);
  touched_ = keep;
}

ActivationMemory& SharedActivationMemory() {
  static ActivationMemory& shared = *std::make_unique<ActivationMemory>().release();
  return shared;
}

}  // namespace latentd::onnx

#include "cuda/device.h"

#include <algorithm>
#include <fstream>

namespace latentd::cuda {
namespace {

/// What the system can give, page cache included, in bytes; 0 where it doesn't say.
size_t AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  size_t kilobytes = 0;
  for (std::string unit; file >> name >> kilobytes; std::getline(file, unit)) {
    if (name == "MemAvailable:") return kilobytes << 10;
  }
  return 0;
}

}  // namespace

Device::Device(int index) : index_(index) {
  int count = 0;
  Check(cudaGetDeviceCount(&count), "looking for cards");
  if (index < 0 || index >= count) {
    throw std::runtime_error("CUDA: there is no card " + std::to_string(index) + ", this machine has " +
                             std::to_string(count));
  }
  Use();
  Check(cudaGetDeviceProperties(&properties_, index), "asking the card what it is");
  if (properties_.major < 8) {
    throw std::runtime_error(std::string("CUDA: ") + properties_.name + " has compute capability " +
                             std::to_string(properties_.major) + "." + std::to_string(properties_.minor) +
                             ", 8.0 and later can be used");
  }
  CheckKernels(properties_);
  stream_ = std::make_unique<Stream>();
  cublas_ = CublasLt::Open(no_cublas_);
}

size_t Device::FreeBytes() const {
  size_t free = 0;
  size_t total = 0;
  Use();
  Check(cudaMemGetInfo(&free, &total), "asking for free memory");
  // A card that shares the system's memory counts the page cache as taken, which a model's file fills.
  return properties_.integrated != 0 ? std::max(free, AvailableMemory()) : free;
}

void Device::Use() const { Check(cudaSetDevice(index_), "choosing the card"); }

void Device::ReleaseArena() {
  stream().Wait();
  arena_ = DeviceMemory();
  ++arena_generation_;
}

std::byte* Device::Arena(size_t bytes) {
  if (bytes > arena_.size()) {
    ReleaseArena();
    arena_ = DeviceMemory(bytes, "reserving memory for activations");
  }
  return arena_.data();
}

}  // namespace latentd::cuda

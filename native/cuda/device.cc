#include "cuda/device.h"

namespace latentd::cuda {

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
  stream_ = std::make_unique<Stream>();
  cublas_ = CublasLt::Open(no_cublas_);
}

void Device::Use() const { Check(cudaSetDevice(index_), "choosing the card"); }

std::byte* Device::Arena(size_t bytes) {
  if (bytes > arena_.size()) {
    stream().Wait();
    arena_ = DeviceMemory();
    ++arena_generation_;
    arena_ = DeviceMemory(bytes, "reserving memory for activations");
  }
  return arena_.data();
}

}  // namespace latentd::cuda

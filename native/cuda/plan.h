// A program at one size, ready to run: its launches, and the graph that they are recorded as.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/device.h"
#include "cuda/program.h"
#include "cuda/weights.h"

namespace latentd::cuda {

/// Host memory of a graph's input or output, in its own order.
struct HostInput {
  const void* data;
  size_t count;
};

class Plan {
 public:
  Plan(std::shared_ptr<Device> device, std::shared_ptr<const Weights> weights, Precision precision,
       Program program);

  /// Runs once, from inputs to outputs, both in the program's order. The caller holds the device's mutex.
  void Run(std::span<const HostInput> inputs, std::span<std::vector<float>> outputs);

  // For who drives it in steps of his own, on the device's stream, holding the device's mutex:

  /// Inputs and outputs on the card, as the graph has them.
  float* Input(size_t port) const { return PortAt(port); }
  const float* Output(size_t port) const { return PortAt(program_.inputs.size() + port); }
  /// Copies an input there, by way of pinned memory.
  void Give(size_t port, const HostInput& input);
  /// Puts everything from inputs to outputs on the stream. The first time it measures, later it is a recorded
  /// graph.
  void Start();
  /// Whose inputs lie there: nobody's after a `Run`.
  const void* holder() const { return holder_; }
  void Hold(const void* holder) { holder_ = holder; }

  /// Milliseconds of each instruction on the card, by itself, after a run that was the first.
  std::vector<float> Profile();
  /// Milliseconds of a run on the card without its copies, the median of `times`.
  float TimeRuns(int times);

  const Program& program() const { return program_; }
  /// Bytes of the card's memory beside arena and weights.
  size_t port_bytes() const { return ports_.size(); }

 private:
  void LaunchAll();
  void LaunchOne(const Instruction& instruction);
  void LaunchPort(const Instruction& instruction);
  void LaunchMatrixProduct(const Instruction& instruction);
  /// False when the library refuses.
  bool LaunchAlgorithm(const Instruction& instruction, const ProductParameters& parameters, int algorithm);
  int FastestAlgorithm(const Instruction& instruction, const ProductParameters& parameters);
  std::vector<int> Algorithms(const Instruction& instruction, const ProductParameters& parameters);
  bool LibraryCan(const Instruction& instruction) const;
  LibraryProduct ForLibrary(const Instruction& instruction, const ProductParameters& parameters) const;
  ProductParameters ProductOf(const Instruction& instruction) const;
  AttentionParameters AttentionOf(const Instruction& instruction) const;
  Matrix MatrixOf(const View& view) const;
  float* PortAt(size_t index) const { return reinterpret_cast<float*>(ports_.data() + port_offsets_[index]); }

  std::shared_ptr<Device> device_;
  std::shared_ptr<const Weights> weights_;
  Precision precision_;
  Program program_;
  std::byte* arena_ = nullptr;
  /// Inputs, then outputs, as the host has them.
  DeviceMemory ports_;
  PinnedMemory staging_;
  std::vector<size_t> port_offsets_;
  /// When each input that was given has left `staging_`.
  std::deque<Event> given_;
  const void* holder_ = nullptr;
  bool measured_ = false;
#ifndef LATENTD_CUDA_EMULATION
  RecordedGraph graph_;
  int graph_generation_ = -1;
#endif
};

}  // namespace latentd::cuda

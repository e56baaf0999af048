#include "cuda/plan.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace latentd::cuda {
namespace {

constexpr size_t kAlignment = 256;
/// Algorithms from here on are the library's; those before are tiles of our own kernel.
constexpr int kLibraryAlgorithms = 100;
constexpr int kMeasurements = 3;
/// Every card has room for it.
constexpr int kSmallestTile = kProductTiles - 1;

size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// What a measured algorithm is remembered by: all that a product's time depends on.
std::string Describe(Precision precision, const Instruction& i, const ProductParameters& p) {
  std::string text = precision == Precision::kF16 ? "f16 " : "bf16 ";
  for (const int64_t number :
       {int64_t{p.out.rows}, int64_t{p.outputs}, int64_t{p.inner}, p.x.stride, p.out.stride,
        int64_t{p.window.kernel_height}, int64_t{p.window.kernel_width}, int64_t{p.window.stride},
        int64_t{p.window.out_height}, int64_t{p.window.out_width}, int64_t{p.window.shift_y},
        int64_t{static_cast<int>(p.activation)}, int64_t{p.residual.data != nullptr},
        int64_t{p.sums.data != nullptr}, int64_t{i.bias >= 0}}) {
    text += std::to_string(number) + ' ';
  }
  text.pop_back();
  return text;
}

}  // namespace

Plan::Plan(std::shared_ptr<Device> device, std::shared_ptr<const Weights> weights, Precision precision,
           Program program)
    : device_(std::move(device)),
      weights_(std::move(weights)),
      precision_(precision),
      program_(std::move(program)) {
  size_t bytes = 0;
  for (const auto* ports : {&program_.inputs, &program_.outputs}) {
    for (const Port& port : *ports) {
      port_offsets_.push_back(bytes);
      bytes += Aligned(sizeof(float) * static_cast<size_t>(port.count));
    }
  }
  ports_ = DeviceMemory(bytes, "reserving memory for inputs and outputs");
  staging_ = PinnedMemory(bytes, "reserving pinned memory for inputs and outputs");
  for (size_t i = 0; i < program_.inputs.size(); ++i) given_.emplace_back();
}

void Plan::Start() {
  arena_ = device_->Arena(static_cast<size_t>(program_.arena_bytes));
#ifdef LATENTD_CUDA_EMULATION
  LaunchAll();
#else
  // The first run is launch by launch, and measures; what it finds is recorded by the second.
  if (!measured_ || device_->forced != Device::kMeasured) {
    LaunchAll();
    measured_ = measured_ || device_->forced == Device::kMeasured;
    return;
  }
  if (!graph_.recorded() || graph_generation_ != device_->arena_generation()) {
    graph_ = RecordedGraph::Record(device_->stream(), [this] { LaunchAll(); });
    graph_generation_ = device_->arena_generation();
  }
  graph_.Launch(device_->stream());
#endif
}

void Plan::Give(size_t port, const HostInput& input) {
  const size_t bytes = sizeof(float) * input.count;
  std::byte* const staged = staging_.data() + port_offsets_[port];
  given_[port].Wait();
  std::memcpy(staged, input.data, bytes);
  Check(cudaMemcpyAsync(PortAt(port), staged, bytes, cudaMemcpyHostToDevice, device_->stream()),
        "copying inputs to the card");
  given_[port].Record(device_->stream());
}

void Plan::Run(std::span<const HostInput> inputs, std::span<std::vector<float>> outputs) {
  device_->Use();
  const cudaStream_t stream = device_->stream();
  holder_ = nullptr;
  for (size_t i = 0; i < inputs.size(); ++i) Give(i, inputs[i]);
  Start();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const size_t offset = port_offsets_[inputs.size() + i];
    Check(cudaMemcpyAsync(staging_.data() + offset, ports_.data() + offset, sizeof(float) * outputs[i].size(),
                          cudaMemcpyDeviceToHost, stream),
          "copying outputs from the card");
  }
  device_->stream().Wait();
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::memcpy(outputs[i].data(), staging_.data() + port_offsets_[inputs.size() + i],
                sizeof(float) * outputs[i].size());
  }
}

std::vector<float> Plan::Profile() {
  device_->Use();
  arena_ = device_->Arena(static_cast<size_t>(program_.arena_bytes));
  std::vector<float> times;
  Event start, end;
  for (const Instruction& instruction : program_.instructions) {
    LaunchOne(instruction);
    start.Record(device_->stream());
    for (int i = 0; i < kMeasurements; ++i) LaunchOne(instruction);
    end.Record(device_->stream());
    end.Wait();
    times.push_back(end.MillisecondsSince(start) / kMeasurements);
  }
  return times;
}

float Plan::TimeRuns(int times) {
  device_->Use();
  std::vector<float> measured;
  Event start, end;
  for (int i = 0; i < times; ++i) {
    start.Record(device_->stream());
    Start();
    end.Record(device_->stream());
    end.Wait();
    measured.push_back(end.MillisecondsSince(start));
  }
  std::sort(measured.begin(), measured.end());
  return measured.empty() ? 0 : measured[measured.size() / 2];
}

void Plan::LaunchAll() {
  for (const Instruction& instruction : program_.instructions) {
    try {
      LaunchOne(instruction);
    } catch (const CudaError& error) {
      throw CudaError(error, instruction.layer);
    }
  }
}

Matrix Plan::MatrixOf(const View& view) const {
  if (view.rows == 0) return {};
  return {arena_ + view.offset, view.stride, view.rows, view.columns};
}

void Plan::LaunchOne(const Instruction& i) {
  const cudaStream_t stream = device_->stream();
  const bool plain = device_->forced == Device::kPlain;
  switch (i.kind) {
    case Kind::kImport:
    case Kind::kExport:
      return LaunchPort(i);
    case Kind::kProduct:
      return LaunchMatrixProduct(i);
    case Kind::kGroupNorm: {
      const int pixels = i.x.rows / i.batch;
      const GroupNormParameters p{MatrixOf(i.x),
                                  MatrixOf(i.out),
                                  weights_->Vector(i.weight),
                                  weights_->Vector(i.bias),
                                  reinterpret_cast<float*>(arena_ + i.scratch.offset),
                                  i.batch,
                                  pixels,
                                  i.groups,
                                  i.parts,
                                  i.epsilon,
                                  i.silu};
      return plain ? LaunchPlainGroupNorm(precision_, p, stream) : LaunchGroupNorm(precision_, p, stream);
    }
    case Kind::kLayerNorm: {
      const LayerNormParameters p{MatrixOf(i.x), MatrixOf(i.out), weights_->Vector(i.weight),
                                  weights_->Vector(i.bias), i.epsilon};
      return plain ? LaunchPlainLayerNorm(precision_, p, stream) : LaunchLayerNorm(precision_, p, stream);
    }
    case Kind::kAttention: {
      const AttentionParameters p = AttentionOf(i);
      if (!plain && AttentionFits(p, device_->properties().sharedMemPerBlockOptin)) {
        return LaunchAttention(precision_, p, stream);
      }
      return LaunchPlainAttention(precision_, p, stream);
    }
    case Kind::kMeanMap:
    case Kind::kLowFrequencies: {
      const MapParameters p{MatrixOf(i.x), MatrixOf(i.out), i.batch, i.height, i.width, i.factor};
      return i.kind == Kind::kMeanMap ? LaunchMeanMap(precision_, p, stream)
                                      : LaunchLowFrequencies(precision_, p, stream);
    }
    case Kind::kElementwise: {
      ElementwiseParameters p{};
      p.operation = i.operation;
      p.x = MatrixOf(i.x);
      p.other = MatrixOf(i.other);
      p.out = MatrixOf(i.out);
      p.activation = i.activation;
      p.factor = i.factor;
      p.period = i.period;
      p.height = i.height;
      p.width = i.width;
      p.out_height = i.out_height;
      p.out_width = i.out_width;
      if (i.operation == Elementwise::kSelectRow) p.index = static_cast<const int32_t*>(p.other.data);
      if (i.operation == Elementwise::kPrelu) p.slopes = weights_->Vector(i.weight);
      if (i.operation == Elementwise::kAddRows) {
        const PlacedWeight& place = weights_->place(i.weight);
        p.other = {const_cast<void*>(weights_->At(i.weight)), place.columns, place.rows, place.columns};
      }
      return LaunchElementwise(precision_, p, stream);
    }
  }
}

void Plan::LaunchPort(const Instruction& i) {
  const size_t index = static_cast<size_t>(i.port) + (i.kind == Kind::kExport ? program_.inputs.size() : 0);
  std::byte* const port = ports_.data() + port_offsets_[index];
  const cudaStream_t stream = device_->stream();
  if (i.kind == Kind::kImport && i.out.element == Element::kInt) {
    Check(cudaMemcpyAsync(arena_ + i.out.offset, port, sizeof(int32_t) * static_cast<size_t>(i.out.rows),
                          cudaMemcpyDeviceToDevice, stream),
          "copying an input");
    return;
  }
  const bool importing = i.kind == Kind::kImport;
  const PortParameters p{reinterpret_cast<float*>(port), MatrixOf(importing ? i.out : i.x), i.pixels};
  importing ? LaunchImport(precision_, p, stream) : LaunchExport(precision_, p, stream);
}

AttentionParameters Plan::AttentionOf(const Instruction& i) const {
  AttentionParameters p{};
  p.query = MatrixOf(i.x);
  p.key = MatrixOf(i.key);
  p.value = MatrixOf(i.value);
  p.out = MatrixOf(i.out);
  p.batch = i.batch;
  p.heads = i.heads;
  p.queries = i.x.rows / i.batch;
  p.keys = i.key.rows / i.batch;
  p.head_width = i.x.columns / i.heads;
  p.causal = i.causal;
  p.scale = 1 / std::sqrt(static_cast<float>(p.head_width));
  return p;
}

ProductParameters Plan::ProductOf(const Instruction& i) const {
  const PlacedWeight& place = weights_->place(i.weight);
  ProductParameters p{};
  p.x = MatrixOf(i.x);
  p.weight = weights_->At(i.weight);
  p.bias = weights_->Vector(i.bias);
  p.sums = MatrixOf(i.sums);
  p.rows_per_sum = i.period;
  p.residual = MatrixOf(i.residual);
  p.out = MatrixOf(i.out);
  p.outputs = place.rows;
  p.inner = place.columns;
  p.activation = i.activation;
  p.window = i.window;
  return p;
}

bool Plan::LibraryCan(const Instruction& i) const {
  const bool geglu = i.activation == Activation::kGeglu;
  return device_->cublas() != nullptr && i.window.kernel_height == 0 && i.sums.rows == 0 &&
         (i.activation == Activation::kNone || geglu) && !(geglu && i.residual.rows > 0);
}

LibraryProduct Plan::ForLibrary(const Instruction& i, const ProductParameters& p) const {
  const bool geglu = i.activation == Activation::kGeglu;
  return {p.x,
          p.weight,
          p.outputs,
          p.inner,
          weights_->HalfVector(i.bias),
          p.residual,
          geglu ? MatrixOf(i.scratch) : p.out};
}

std::vector<int> Plan::Algorithms(const Instruction& i, const ProductParameters& p) {
  std::vector<int> algorithms;
  for (int tile = 0; tile < kProductTiles; ++tile) {
    if (ProductTileFits(tile, device_->properties().sharedMemPerBlockOptin)) algorithms.push_back(tile);
  }
  if (!LibraryCan(i)) return algorithms;
  const int count = device_->cublas()->Algorithms(precision_, ForLibrary(i, p));
  for (int algorithm = 0; algorithm < count; ++algorithm)
    algorithms.push_back(kLibraryAlgorithms + algorithm);
  return algorithms;
}

bool Plan::LaunchAlgorithm(const Instruction& i, const ProductParameters& p, int algorithm) {
  const cudaStream_t stream = device_->stream();
  if (algorithm < kLibraryAlgorithms) {
    LaunchProduct(precision_, algorithm, p, stream);
    return true;
  }
  const bool run = LibraryCan(i) && device_->cublas()->Run(precision_, ForLibrary(i, p),
                                                           algorithm - kLibraryAlgorithms, stream);
  if (run && i.activation == Activation::kGeglu) {
    ElementwiseParameters gate{};
    gate.operation = Elementwise::kGegluPairs;
    gate.x = MatrixOf(i.scratch);
    gate.out = p.out;
    LaunchElementwise(precision_, gate, stream);
  }
  return run;
}

int Plan::FastestAlgorithm(const Instruction& i, const ProductParameters& p) {
  const std::vector<int> algorithms = Algorithms(i, p);
  if (algorithms.size() == 1) return algorithms.front();
  Event start, end;
  int best = algorithms.front();
  float shortest = INFINITY;
  for (const int algorithm : algorithms) {
    if (!LaunchAlgorithm(i, p, algorithm)) continue;
    start.Record(device_->stream());
    for (int k = 0; k < kMeasurements; ++k) LaunchAlgorithm(i, p, algorithm);
    end.Record(device_->stream());
    end.Wait();
    const float time = end.MillisecondsSince(start);
    if (time < shortest) {
      shortest = time;
      best = algorithm;
    }
  }
  return best;
}

void Plan::LaunchMatrixProduct(const Instruction& i) {
  const ProductParameters p = ProductOf(i);
  if (device_->forced == Device::kPlain) return LaunchPlainProduct(precision_, p, device_->stream());
  if (device_->forced >= 0) return LaunchProduct(precision_, device_->forced, p, device_->stream());
  const std::string shape = Describe(precision_, i, p);
  auto algorithm = device_->algorithms.find(shape);
  if (algorithm == device_->algorithms.end()) {
#ifdef LATENTD_CUDA_EMULATION
    // There is nothing to be measured; the last tile is the smallest.
    algorithm = device_->algorithms.emplace(shape, kSmallestTile).first;
#else
    algorithm = device_->algorithms.emplace(shape, FastestAlgorithm(i, p)).first;
    device_->algorithms_changed = true;
#endif
  }
  // What another run found may be an algorithm that the library no longer proposes.
  if (!LaunchAlgorithm(i, p, algorithm->second)) {
    algorithm->second = kSmallestTile;
    LaunchAlgorithm(i, p, kSmallestTile);
  }
}

}  // namespace latentd::cuda

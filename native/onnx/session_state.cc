#include "onnx/session_state.h"

#include <utility>

#include "onnx/activation_memory.h"
#include "onnx/kernel_call.h"

namespace latentd::onnx {
namespace {

/// Working memory of a running model. Models that run one after the other use the same; the pool grows to as
/// many as ever ran at once.
class ScratchLease {
 public:
  ScratchLease() {
    const std::lock_guard lock(Mutex());
    if (Pool().empty()) {
      scratch_ = std::make_unique<compute::Scratch>();
    } else {
      scratch_ = std::move(Pool().back());
      Pool().pop_back();
    }
  }
  ~ScratchLease() {
    const std::lock_guard lock(Mutex());
    Pool().push_back(std::move(scratch_));
  }
  ScratchLease(const ScratchLease&) = delete;
  ScratchLease& operator=(const ScratchLease&) = delete;
  compute::Scratch* get() const { return scratch_.get(); }

 private:
  static std::mutex& Mutex() {
    static std::mutex mutex;
    return mutex;
  }
  static std::vector<std::unique_ptr<compute::Scratch>>& Pool() {
    static std::vector<std::unique_ptr<compute::Scratch>> pool;
    return pool;
  }

  std::unique_ptr<compute::Scratch> scratch_;
};

using OptionsHandle = std::unique_ptr<OrtSessionOptions, void (*)(OrtSessionOptions*)>;

OptionsHandle MakeOptions(const SessionOptions& settings) {
  OrtSessionOptions* made = nullptr;
  Check(api::kCreateSessionOptions(&made));
  OptionsHandle options(made, [](OrtSessionOptions* o) { api::kReleaseSessionOptions(o); });
  // Failures come back as statuses, with the same words.
  constexpr int kFatalOnly = 4;
  constexpr int kBasicOptimizations = 1;
  constexpr int kAllOptimizations = 99;
  Check(api::kSetLogSeverity(made, kFatalOnly));
  Check(api::kSetOptimizationLevel(made, settings.foreign ? kAllOptimizations : kBasicOptimizations));
  Check(api::kSetIntraOpThreads(made, static_cast<int>(settings.threads)));
  // Extents change from run to run, so a pattern of one run is no plan for the next.
  Check(api::kDisableMemPattern(made));
  Check(api::kAddConfig(made, "session.use_env_allocators", "1"));
  // Threads spin for work within a run, but don't burn a core between runs.
  Check(api::kAddConfig(made, "session.force_spinning_stop", "1"));
  if (!settings.profile.empty()) Check(api::kEnableProfiling(made, settings.profile.c_str()));
  return options;
}

const compute::Kernels* FindKernels(const std::string& name, compute::Precision precision) {
  const auto available = compute::AvailableKernels(precision);
  if (name.empty() && precision == compute::Precision::kBf16 && available.size() == 1) {
    throw std::runtime_error(
        "this processor has no arithmetic of bfloat16 (AVX512-BF16), which precision bf16 needs; use fp32");
  }
  std::string names;
  for (const compute::Kernels* kernels : available) {
    if (name.empty() || name == kernels->name) return kernels;
    names += (names.empty() ? "" : ", ") + std::string(kernels->name);
  }
  throw std::runtime_error("this processor has no kernels named " + name + "; it has " + names);
}

}  // namespace

SessionState::SessionState(OrtEnv* env, const std::string& model, std::vector<Weight> weights,
                           const SessionOptions& options) {
  model_.weights = std::move(weights);
  model_.threads = options.threads;
  model_.kernels = FindKernels(options.kernels, options.precision);
  const OptionsHandle handle = MakeOptions(options);
  constexpr int kDeviceAllocator = 0;
  constexpr int kDefaultMemory = 0;
  try {
    if (!options.foreign) {
      Check(api::kCreateDomain("latentd", &domain_));
      AddOperators(model_, domain_);
      Check(api::kAddDomain(handle.get(), domain_));
    }
    Check(api::kCreateRunOptions(&run_));
    Check(api::kCreateCpuMemoryInfo(kDeviceAllocator, kDefaultMemory, &memory_));
    Check(api::kCreateSessionFromArray(env, model.data(), model.size(), handle.get(), &session_));
  } catch (...) {
    if (memory_ != nullptr) api::kReleaseMemoryInfo(memory_);
    if (run_ != nullptr) api::kReleaseRunOptions(run_);
    if (domain_ != nullptr) api::kReleaseDomain(domain_);
    throw;
  }
}

SessionState::~SessionState() {
  api::kReleaseSession(session_);
  api::kReleaseMemoryInfo(memory_);
  api::kReleaseRunOptions(run_);
  if (domain_ != nullptr) api::kReleaseDomain(domain_);
}

void SessionState::Cancel() { Check(api::kSetTerminate(run_)); }

std::vector<std::string> SessionState::InputNames() const {
  return Names(
      [](const OrtSession* s, size_t* n) { return api::kInputCount(s, n); },
      [](const OrtSession* s, size_t i, OrtAllocator* a, char** n) { return api::kInputName(s, i, a, n); });
}

std::vector<std::string> SessionState::OutputNames() const {
  return Names(
      [](const OrtSession* s, size_t* n) { return api::kOutputCount(s, n); },
      [](const OrtSession* s, size_t i, OrtAllocator* a, char** n) { return api::kOutputName(s, i, a, n); });
}

std::vector<std::string> SessionState::Names(CountOf count, NameOf name) const {
  OrtAllocator* allocator = nullptr;
  Check(api::kDefaultAllocator(&allocator));
  size_t entries = 0;
  Check(count(session_, &entries));
  std::vector<std::string> names;
  for (size_t i = 0; i < entries; ++i) {
    char* text = nullptr;
    Check(name(session_, i, allocator, &text));
    names.emplace_back(text);
    Check(api::kFree(allocator, text));
  }
  return names;
}

std::vector<Value> SessionState::Run(const std::vector<NamedTensor>& inputs,
                                     const std::vector<std::string>& outputs) {
  std::vector<Value> values;
  std::vector<const OrtValue*> input_values;
  std::vector<const char*> input_names;
  for (const NamedTensor& input : inputs) {
    OrtValue* value = nullptr;
    Check(api::kCreateTensorOver(memory_, input.data, input.bytes, input.shape.data(), input.shape.size(),
                                 input.type, &value));
    values.emplace_back(value);
    input_values.push_back(value);
    input_names.push_back(input.name.c_str());
  }
  std::vector<const char*> output_names;
  for (const std::string& output : outputs) output_names.push_back(output.c_str());
  std::vector<OrtValue*> results(outputs.size(), nullptr);

  const std::lock_guard lock(mutex_);
  const ScratchLease scratch;
  model_.scratch = scratch.get();
  Check(api::kUnsetTerminate(run_));
  OrtStatus* const status =
      api::kRun(session_, run_, input_names.data(), input_values.data(), input_values.size(),
                output_names.data(), output_names.size(), results.data());
  SharedActivationMemory().EndRun();
  Check(status);
  std::vector<Value> owned;
  for (OrtValue* result : results) owned.emplace_back(result);
  return owned;
}

}  // namespace latentd::onnx

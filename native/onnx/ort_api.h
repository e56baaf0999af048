// The part of ONNX Runtime's C interface that we use, of the library that onnxruntime-node ships. That
// interface is a table of functions that only ever grows at its end, so a function is known by its place
// (onnxruntime_c_api.h, struct OrtApi); declaring those few places here spares the project a header that the
// package does not carry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace latentd::onnx {

struct OrtEnv;
struct OrtStatus;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtMemoryInfo;
struct OrtValue;
struct OrtTensorInfo;
struct OrtKernelInfo;
struct OrtKernelContext;
struct OrtCustomOpDomain;

/// The version whose table and structures are declared here; every later library serves it.
inline constexpr uint32_t kApiVersion = 18;

struct OrtApiBase {
  const void* const* (*get_api)(uint32_t version);
  const char* (*get_version)();
};

enum class ElementType : int { kFloat = 1, kInt32 = 6 };

/// An allocator of ours, as ORT calls it (onnxruntime_c_api.h, struct OrtAllocator).
struct OrtAllocator {
  uint32_t version = kApiVersion;
  void* (*allocate)(OrtAllocator*, size_t) = nullptr;
  void (*free)(OrtAllocator*, void*) = nullptr;
  const OrtMemoryInfo* (*info)(const OrtAllocator*) = nullptr;
  void* (*reserve)(OrtAllocator*, size_t) = nullptr;
};

/// ORT's description of an operator of ours: a structure of callbacks (onnxruntime_c_api.h, struct
/// OrtCustomOp).
struct OrtCustomOp {
  uint32_t version = kApiVersion;
  void* (*create_kernel)(const OrtCustomOp*, const void* api, const OrtKernelInfo*) = nullptr;
  const char* (*get_name)(const OrtCustomOp*) = nullptr;
  const char* (*get_provider)(const OrtCustomOp*) = nullptr;
  ElementType (*get_input_type)(const OrtCustomOp*, size_t) = nullptr;
  size_t (*get_input_count)(const OrtCustomOp*) = nullptr;
  ElementType (*get_output_type)(const OrtCustomOp*, size_t) = nullptr;
  size_t (*get_output_count)(const OrtCustomOp*) = nullptr;
  void (*compute)(void*, OrtKernelContext*) = nullptr;
  void (*destroy_kernel)(void*) = nullptr;
  int (*get_input_characteristic)(const OrtCustomOp*, size_t) = nullptr;
  int (*get_output_characteristic)(const OrtCustomOp*, size_t) = nullptr;
  int (*get_input_memory_type)(const OrtCustomOp*, size_t) = nullptr;
  int (*get_variadic_input_min)(const OrtCustomOp*) = nullptr;
  int (*get_variadic_input_homogeneity)(const OrtCustomOp*) = nullptr;
  int (*get_variadic_output_min)(const OrtCustomOp*) = nullptr;
  int (*get_variadic_output_homogeneity)(const OrtCustomOp*) = nullptr;
  OrtStatus* (*create_kernel_v2)(const OrtCustomOp*, const void* api, const OrtKernelInfo*,
                                 void** kernel) = nullptr;
  OrtStatus* (*compute_v2)(void* kernel, OrtKernelContext*) = nullptr;
  OrtStatus* (*infer_shape)(const OrtCustomOp*, void*) = nullptr;
  int (*get_start_version)(const OrtCustomOp*) = nullptr;
  int (*get_end_version)(const OrtCustomOp*) = nullptr;
  size_t (*get_may_inplace)(int** inputs, int** outputs) = nullptr;
  void (*release_may_inplace)(int* inputs, int* outputs) = nullptr;
  size_t (*get_alias_map)(int** inputs, int** outputs) = nullptr;
  void (*release_alias_map)(int* inputs, int* outputs) = nullptr;
};

inline constexpr int kRequired = 0;
inline constexpr int kOptional = 1;

/// One function of the table, by its place.
template <size_t kPlace, typename Signature>
struct Function;

template <size_t kPlace, typename Result, typename... Arguments>
struct Function<kPlace, Result(Arguments...)> {
  Result operator()(Arguments... arguments) const;
};

/// The table; set once by LoadRuntime.
extern const void* const* g_api;

template <size_t kPlace, typename Result, typename... Arguments>
Result Function<kPlace, Result(Arguments...)>::operator()(Arguments... arguments) const {
  return reinterpret_cast<Result (*)(Arguments...)>(const_cast<void*>(g_api[kPlace]))(arguments...);
}

namespace api {
inline constexpr Function<0, OrtStatus*(int code, const char* message)> kCreateStatus;
inline constexpr Function<2, const char*(const OrtStatus*)> kGetErrorMessage;
inline constexpr Function<3, OrtStatus*(int level, const char* id, OrtEnv**)> kCreateEnv;
inline constexpr Function<8, OrtStatus*(const OrtEnv*, const void* model, size_t, const OrtSessionOptions*,
                                        OrtSession**)>
    kCreateSessionFromArray;
inline constexpr Function<9, OrtStatus*(OrtSession*, const OrtRunOptions*, const char* const* input_names,
                                        const OrtValue* const* inputs, size_t,
                                        const char* const* output_names, size_t, OrtValue** outputs)>
    kRun;
inline constexpr Function<10, OrtStatus*(OrtSessionOptions**)> kCreateSessionOptions;
inline constexpr Function<14, OrtStatus*(OrtSessionOptions*, const char* prefix)> kEnableProfiling;
inline constexpr Function<17, OrtStatus*(OrtSessionOptions*)> kDisableMemPattern;
inline constexpr Function<22, OrtStatus*(OrtSessionOptions*, int level)> kSetLogSeverity;
inline constexpr Function<23, OrtStatus*(OrtSessionOptions*, int level)> kSetOptimizationLevel;
inline constexpr Function<24, OrtStatus*(OrtSessionOptions*, int threads)> kSetIntraOpThreads;
inline constexpr Function<26, OrtStatus*(const char* domain, OrtCustomOpDomain**)> kCreateDomain;
inline constexpr Function<27, OrtStatus*(OrtCustomOpDomain*, const OrtCustomOp*)> kAddToDomain;
inline constexpr Function<28, OrtStatus*(OrtSessionOptions*, OrtCustomOpDomain*)> kAddDomain;
inline constexpr Function<30, OrtStatus*(const OrtSession*, size_t*)> kInputCount;
inline constexpr Function<31, OrtStatus*(const OrtSession*, size_t*)> kOutputCount;
inline constexpr Function<36, OrtStatus*(const OrtSession*, size_t, OrtAllocator*, char**)> kInputName;
inline constexpr Function<37, OrtStatus*(const OrtSession*, size_t, OrtAllocator*, char**)> kOutputName;
inline constexpr Function<39, OrtStatus*(OrtRunOptions**)> kCreateRunOptions;
inline constexpr Function<46, OrtStatus*(OrtRunOptions*)> kSetTerminate;
inline constexpr Function<47, OrtStatus*(OrtRunOptions*)> kUnsetTerminate;
inline constexpr Function<49, OrtStatus*(const OrtMemoryInfo*, void* data, size_t bytes, const int64_t* shape,
                                         size_t rank, ElementType, OrtValue**)>
    kCreateTensorOver;
inline constexpr Function<51, OrtStatus*(OrtValue*, void** data)> kGetTensorData;
inline constexpr Function<60, OrtStatus*(const OrtTensorInfo*, ElementType*)> kGetElementType;
inline constexpr Function<61, OrtStatus*(const OrtTensorInfo*, size_t*)> kGetRank;
inline constexpr Function<62, OrtStatus*(const OrtTensorInfo*, int64_t*, size_t)> kGetShape;
inline constexpr Function<65, OrtStatus*(const OrtValue*, OrtTensorInfo**)> kGetTensorInfo;
inline constexpr Function<69, OrtStatus*(int allocator, int memory, OrtMemoryInfo**)> kCreateCpuMemoryInfo;
inline constexpr Function<76, OrtStatus*(OrtAllocator*, void*)> kFree;
inline constexpr Function<78, OrtStatus*(OrtAllocator**)> kDefaultAllocator;
inline constexpr Function<85, OrtStatus*(const OrtKernelInfo*, const char* name, float*)> kGetFloatAttribute;
inline constexpr Function<86, OrtStatus*(const OrtKernelInfo*, const char* name, int64_t*)> kGetIntAttribute;
inline constexpr Function<90, OrtStatus*(const OrtKernelContext*, size_t, const OrtValue**)> kGetInput;
inline constexpr Function<91, OrtStatus*(OrtKernelContext*, size_t, const int64_t* shape, size_t rank,
                                         OrtValue**)>
    kGetOutput;
inline constexpr Function<93, void(OrtStatus*)> kReleaseStatus;
inline constexpr Function<94, void(OrtMemoryInfo*)> kReleaseMemoryInfo;
inline constexpr Function<95, void(OrtSession*)> kReleaseSession;
inline constexpr Function<96, void(OrtValue*)> kReleaseValue;
inline constexpr Function<97, void(OrtRunOptions*)> kReleaseRunOptions;
inline constexpr Function<99, void(OrtTensorInfo*)> kReleaseTensorInfo;
inline constexpr Function<100, void(OrtSessionOptions*)> kReleaseSessionOptions;
inline constexpr Function<101, void(OrtCustomOpDomain*)> kReleaseDomain;
inline constexpr Function<130, OrtStatus*(OrtSessionOptions*, const char* key, const char* value)> kAddConfig;
inline constexpr Function<176, OrtStatus*(OrtEnv*, OrtAllocator*)> kRegisterAllocator;
inline constexpr Function<274, OrtStatus*(const OrtKernelContext*, void (*)(void*, size_t), size_t total,
                                          size_t batches, void* data)>
    kParallelFor;
}  // namespace api

/// Throws std::runtime_error with ORT's message unless `status` is null.
inline void Check(OrtStatus* status) {
  if (status == nullptr) return;
  const std::string message = api::kGetErrorMessage(status);
  api::kReleaseStatus(status);
  throw std::runtime_error(message);
}

/// Keeps every ONNX Runtime of this process, ours and onnxruntime-node's, from looking up its maker's host
/// and from writing a device id, a database and logs. Call it before one is loaded, on the thread that owns
/// the environment.
void DisableTelemetry();

/// Opens the library at `path`, once a process; every later call returns the same environment.
OrtEnv* LoadRuntime(const std::string& path);

}  // namespace latentd::onnx

#include "cuda/cublaslt.h"

#ifdef LATENTD_CUDA_EMULATION

namespace latentd::cuda {
struct CublasLt::State {};
CublasLt::CublasLt() = default;
CublasLt::~CublasLt() = default;
std::unique_ptr<CublasLt> CublasLt::Open(std::string& why) {
  why = "the emulation has no libraries";
  return nullptr;
}
int CublasLt::Algorithms(Precision, const LibraryProduct&) { return 0; }
bool CublasLt::Run(Precision, const LibraryProduct&, int, cudaStream_t) { return false; }
size_t CublasLt::version() const { return 0; }
}  // namespace latentd::cuda

#else

#include <dlfcn.h>
#include <library_types.h>

#include <array>
#include <map>
#include <tuple>

#include "cuda/resources.h"

// The toolkit's compiler comes without this library's header as often as not, so its part that is used is
// declared here, as the header of CUDA 12 and 13 has it; where the header is at hand, the build checks that
// they agree.
#if __has_include(<cublasLt.h>)
#include <cublasLt.h>
static_assert(CUBLASLT_MATMUL_DESC_TRANSA == 3 && CUBLASLT_MATMUL_DESC_EPILOGUE == 7);
static_assert(CUBLASLT_MATMUL_DESC_BIAS_POINTER == 8 && CUBLASLT_EPILOGUE_BIAS == 4);
static_assert(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES == 1 && CUBLAS_COMPUTE_32F == 68 && CUBLAS_OP_T == 1);
static_assert(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK == 3 && CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE == 2);
static_assert(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES == 5 &&
              CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES == 8);
static_assert(sizeof(cublasLtMatmulHeuristicResult_t) == 64 + 8 + 4 + 4 + 16);
#endif

namespace latentd::cuda {
namespace {

using Handle = void*;
constexpr int kSuccess = 0;
constexpr int kCompute32F = 68;
constexpr int kTransposeX = 3;
constexpr int kEpilogue = 7;
constexpr int kBiasPointer = 8;
constexpr int32_t kTransposed = 1;
constexpr int32_t kEpilogueDefault = 1;
constexpr int32_t kEpilogueBias = 4;
constexpr int kPreferWorkspace = 1;
constexpr int kPreferReductions = 3;
/// Sums of several blocks are added in float32, in a fixed order.
constexpr uint32_t kReduceWide = 2;
constexpr int kPreferAlignmentOfA = 5;
constexpr int kPreferAlignmentOfD = 8;
/// What all views have; the library takes 256 for granted where nothing is said.
constexpr uint32_t kAlignment = 16;
constexpr size_t kWorkspaceBytes = 64 << 20;

struct Algorithm {
  uint64_t data[8];
};
struct Heuristic {
  Algorithm algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

/// The functions, by their names in the library.
struct Library {
  int (*Create)(Handle*);
  int (*Destroy)(Handle);
  size_t (*GetVersion)();
  int (*MatmulDescCreate)(Handle*, int, int);
  int (*MatmulDescDestroy)(Handle);
  int (*MatmulDescSetAttribute)(Handle, int, const void*, size_t);
  int (*MatrixLayoutCreate)(Handle*, int, uint64_t, uint64_t, int64_t);
  int (*MatrixLayoutDestroy)(Handle);
  int (*MatmulPreferenceCreate)(Handle*);
  int (*MatmulPreferenceDestroy)(Handle);
  int (*MatmulPreferenceSetAttribute)(Handle, int, const void*, size_t);
  int (*MatmulAlgoGetHeuristic)(Handle, Handle, Handle, Handle, Handle, Handle, Handle, int, Heuristic*,
                                int*);
  int (*Matmul)(Handle, Handle, const void*, const void*, Handle, const void*, Handle, const void*,
                const void*, Handle, void*, Handle, const Algorithm*, void*, size_t, cudaStream_t);
};

template <typename Function>
void Find(void* library, const char* name, Function& function) {
  void* const symbol = dlsym(library, name);
  if (symbol == nullptr) throw std::runtime_error(std::string("libcublasLt has no ") + name);
  function = reinterpret_cast<Function>(symbol);
}

Library FindAll(void* library) {
  Library found{};
  Find(library, "cublasLtCreate", found.Create);
  Find(library, "cublasLtDestroy", found.Destroy);
  Find(library, "cublasLtGetVersion", found.GetVersion);
  Find(library, "cublasLtMatmulDescCreate", found.MatmulDescCreate);
  Find(library, "cublasLtMatmulDescDestroy", found.MatmulDescDestroy);
  Find(library, "cublasLtMatmulDescSetAttribute", found.MatmulDescSetAttribute);
  Find(library, "cublasLtMatrixLayoutCreate", found.MatrixLayoutCreate);
  Find(library, "cublasLtMatrixLayoutDestroy", found.MatrixLayoutDestroy);
  Find(library, "cublasLtMatmulPreferenceCreate", found.MatmulPreferenceCreate);
  Find(library, "cublasLtMatmulPreferenceDestroy", found.MatmulPreferenceDestroy);
  Find(library, "cublasLtMatmulPreferenceSetAttribute", found.MatmulPreferenceSetAttribute);
  Find(library, "cublasLtMatmulAlgoGetHeuristic", found.MatmulAlgoGetHeuristic);
  Find(library, "cublasLtMatmul", found.Matmul);
  return found;
}

/// A descriptor of the library's, destroyed by its own function.
class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(Handle handle, int (*destroy)(Handle)) : handle_(handle), destroy_(destroy) {}
  ~Descriptor() {
    if (handle_ != nullptr) destroy_(handle_);
  }
  Descriptor(Descriptor&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), destroy_(other.destroy_) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(destroy_, other.destroy_);
    return *this;
  }
  operator Handle() const { return handle_; }

 private:
  Handle handle_ = nullptr;
  int (*destroy_)(Handle) = nullptr;
};

/// What the library wants to know of a product, and what it proposes. Rows of ours are columns of its.
struct Prepared {
  Descriptor operation, weight, x, residual, out;
  std::vector<Algorithm> algorithms;
};

using Key = std::tuple<int, int, int, int, int64_t, int64_t, int64_t, bool>;

}  // namespace

struct CublasLt::State {
  void* file = nullptr;
  Library library{};
  Handle handle = nullptr;
  DeviceMemory workspace;
  std::map<Key, Prepared> prepared;

  ~State() {
    prepared.clear();
    if (handle != nullptr) library.Destroy(handle);
    // The file stays open: the library keeps threads and exit handlers.
  }

  Descriptor Layout(cudaDataType type, int rows, int columns, int64_t stride) {
    Handle handle = nullptr;
    library.MatrixLayoutCreate(&handle, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns),
                               stride);
    return {handle, library.MatrixLayoutDestroy};
  }

  Prepared& Prepare(Precision precision, const LibraryProduct& p) {
    const int64_t residual_stride = p.residual.data == nullptr ? 0 : p.residual.stride;
    const Key key{static_cast<int>(precision),
                  p.out.rows,
                  p.outputs,
                  p.inner,
                  p.x.stride,
                  p.out.stride,
                  residual_stride,
                  p.bias != nullptr};
    const auto known = prepared.find(key);
    if (known != prepared.end()) return known->second;
    const cudaDataType type = precision == Precision::kF16 ? CUDA_R_16F : CUDA_R_16BF;
    Prepared made;
    Handle operation = nullptr;
    library.MatmulDescCreate(&operation, kCompute32F, CUDA_R_32F);
    made.operation = {operation, library.MatmulDescDestroy};
    library.MatmulDescSetAttribute(operation, kTransposeX, &kTransposed, sizeof kTransposed);
    const int32_t epilogue = p.bias != nullptr ? kEpilogueBias : kEpilogueDefault;
    library.MatmulDescSetAttribute(operation, kEpilogue, &epilogue, sizeof epilogue);
    if (p.bias != nullptr) library.MatmulDescSetAttribute(operation, kBiasPointer, &p.bias, sizeof p.bias);
    made.weight = Layout(type, p.inner, p.outputs, p.inner);
    made.x = Layout(type, p.inner, p.out.rows, p.x.stride);
    made.out = Layout(type, p.outputs, p.out.rows, p.out.stride);
    made.residual =
        Layout(type, p.outputs, p.out.rows, residual_stride == 0 ? p.out.stride : residual_stride);
    Handle preference = nullptr;
    library.MatmulPreferenceCreate(&preference);
    const Descriptor owned(preference, library.MatmulPreferenceDestroy);
    library.MatmulPreferenceSetAttribute(preference, kPreferWorkspace, &kWorkspaceBytes,
                                         sizeof kWorkspaceBytes);
    library.MatmulPreferenceSetAttribute(preference, kPreferReductions, &kReduceWide, sizeof kReduceWide);
    for (int operand = kPreferAlignmentOfA; operand <= kPreferAlignmentOfD; ++operand) {
      library.MatmulPreferenceSetAttribute(preference, operand, &kAlignment, sizeof kAlignment);
    }
    std::array<Heuristic, kMostAlgorithms> results{};
    int count = 0;
    const int status =
        library.MatmulAlgoGetHeuristic(handle, made.operation, made.weight, made.x, made.residual, made.out,
                                       preference, kMostAlgorithms, results.data(), &count);
    for (int i = 0; status == kSuccess && i < count; ++i) {
      if (results[i].state == kSuccess) made.algorithms.push_back(results[i].algorithm);
    }
    return prepared.emplace(key, std::move(made)).first->second;
  }
};

CublasLt::CublasLt() : state_(std::make_unique<State>()) {}
CublasLt::~CublasLt() = default;

std::unique_ptr<CublasLt> CublasLt::Open(std::string& why) {
  auto opened = std::unique_ptr<CublasLt>(new CublasLt());
  State& state = *opened->state_;
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"}) {
    state.file = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (state.file != nullptr) break;
  }
  if (state.file == nullptr) {
    why = "libcublasLt isn't installed: " + std::string(dlerror());
    return nullptr;
  }
  try {
    state.library = FindAll(state.file);
    if (state.library.Create(&state.handle) != kSuccess) throw std::runtime_error("cublasLtCreate failed");
    state.workspace = DeviceMemory(kWorkspaceBytes, "reserving libcublasLt's workspace");
  } catch (const std::runtime_error& error) {
    why = error.what();
    return nullptr;
  }
  return opened;
}

int CublasLt::Algorithms(Precision precision, const LibraryProduct& product) {
  return static_cast<int>(state_->Prepare(precision, product).algorithms.size());
}

bool CublasLt::Run(Precision precision, const LibraryProduct& p, int algorithm, cudaStream_t stream) {
  Prepared& prepared = state_->Prepare(precision, p);
  if (algorithm >= static_cast<int>(prepared.algorithms.size())) return false;
  if (p.bias != nullptr) {
    state_->library.MatmulDescSetAttribute(prepared.operation, kBiasPointer, &p.bias, sizeof p.bias);
  }
  const float one = 1;
  const float beta = p.residual.data == nullptr ? 0 : 1;
  const void* const residual = p.residual.data == nullptr ? p.out.data : p.residual.data;
  return state_->library.Matmul(state_->handle, prepared.operation, &one, p.weight, prepared.weight, p.x.data,
                                prepared.x, &beta, residual, prepared.residual, p.out.data, prepared.out,
                                &prepared.algorithms[static_cast<size_t>(algorithm)],
                                state_->workspace.data(), state_->workspace.size(), stream) == kSuccess;
}

size_t CublasLt::version() const { return state_->library.GetVersion(); }

}  // namespace latentd::cuda

#endif

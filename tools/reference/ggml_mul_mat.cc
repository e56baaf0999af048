// Times ggml's mul_mat on request, to compare latentd's linear layers with.
//
//   c++ -O2 -I $GGML/include ggml_mul_mat.cc -L $GGML/build/src -lggml -lggml-base -lggml-cpu -o ggml_mul_mat
//   ggml_mul_mat THREADS [lying]
//
// Each line on standard input is "TYPE ROWS COLUMNS TOKENS" (TYPE as ggml names it: q4_K, q8_0); the answer is a
// line of JSON, {"ms", "cpuMs"}. Weights lie in the buffer in which llama.cpp would have them, repacked for the
// processor where ggml knows how; with `lying`, as they are in a file.
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace {

struct Product {
  ggml_cgraph* graph;
};

ggml_backend_t backend;
bool repacks = true;

ggml_type TypeOf(const std::string& name) {
  for (int type = 0; type < GGML_TYPE_COUNT; ++type) {
    const char* known = ggml_type_name(static_cast<ggml_type>(type));
    if (known != nullptr && name == known) return static_cast<ggml_type>(type);
  }
  std::fprintf(stderr, "ggml has no type %s\n", name.c_str());
  std::exit(2);
}

/// The buffer types of the processor, those that repack first.
std::vector<ggml_backend_buffer_type_t> BufferTypes() {
  std::vector<ggml_backend_buffer_type_t> types;
  ggml_backend_dev_t device = ggml_backend_get_device(backend);
  using GetExtra = ggml_backend_buffer_type_t* (*)(ggml_backend_dev_t);
  const auto get_extra = reinterpret_cast<GetExtra>(
      ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
  if (repacks && get_extra != nullptr) {
    for (auto* type = get_extra(device); type != nullptr && *type != nullptr; ++type) types.push_back(*type);
  }
  types.push_back(ggml_backend_get_default_buffer_type(backend));
  return types;
}

Product Make(ggml_type type, int64_t rows, int64_t columns, int64_t tokens) {
  ggml_init_params params{ggml_tensor_overhead() * 16 + ggml_graph_overhead(), nullptr, true};
  ggml_context* weights = ggml_init(params);
  ggml_context* others = ggml_init(params);
  ggml_tensor* weight = ggml_new_tensor_2d(weights, type, columns, rows);
  ggml_tensor* x = ggml_new_tensor_2d(others, GGML_TYPE_F32, columns, tokens);
  ggml_tensor* out = ggml_mul_mat(others, weight, x);
  ggml_cgraph* graph = ggml_new_graph(others);
  ggml_build_forward_expand(graph, out);
  for (ggml_backend_buffer_type_t buffers : BufferTypes()) {
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors_from_buft(weights, buffers);
    if (buffer == nullptr) continue;
    if (ggml_backend_dev_supports_op(ggml_backend_get_device(backend), out)) {
      std::fprintf(stderr, "%s in %s\n", ggml_type_name(type), ggml_backend_buft_name(buffers));
      break;
    }
    ggml_backend_buffer_free(buffer);
    weight->buffer = nullptr;
    weight->data = nullptr;
    weight->extra = nullptr;
  }
  ggml_backend_alloc_ctx_tensors(others, backend);
  std::vector<float> values(static_cast<size_t>(rows * columns));
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i) * 12.9898f) / 50;
  std::vector<char> packed(ggml_row_size(type, columns) * static_cast<size_t>(rows));
  ggml_quantize_chunk(type, values.data(), packed.data(), 0, rows, columns, nullptr);
  ggml_backend_tensor_set(weight, packed.data(), 0, packed.size());
  values.resize(static_cast<size_t>(columns * tokens));
  ggml_backend_tensor_set(x, values.data(), 0, values.size() * sizeof(float));
  return {graph};
}

double CpuMs() { return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  repacks = argc < 3 || std::strcmp(argv[2], "lying") != 0;
  backend = ggml_backend_cpu_init();
  ggml_backend_cpu_set_n_threads(backend, argc > 1 ? std::atoi(argv[1]) : 2);
  std::map<std::string, Product> products;
  char line[128];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    char type[32];
    long rows, columns, tokens;
    if (std::sscanf(line, "%31s %ld %ld %ld", type, &rows, &columns, &tokens) != 4) return 2;
    if (products.find(line) == products.end()) products[line] = Make(TypeOf(type), rows, columns, tokens);
    const double cpu = CpuMs();
    const auto wall = std::chrono::steady_clock::now();
    if (ggml_backend_graph_compute(backend, products[line].graph) != GGML_STATUS_SUCCESS) return 1;
    const std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - wall;
    std::printf("{\"ms\": %.3f, \"cpuMs\": %.3f}\n", ms.count(), CpuMs() - cpu);
    std::fflush(stdout);
  }
}

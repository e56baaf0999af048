#include "matrix_product_binding.h"

#include <cstdint>
#include <span>
#include <string>

#include "arguments.h"
#include "matrix_product.h"

namespace latentd {
namespace {

void RequireExtent(Napi::Env env, const char* name, std::span<const float> values, uint64_t rows,
                   uint64_t columns) {
  if (columns == 0 ? values.empty() : values.size() % columns == 0 && values.size() / columns == rows) return;
  throw Napi::RangeError::New(env, std::string(name) + " must have " + std::to_string(rows) + " x " +
                                       std::to_string(columns) + " values, has " +
                                       std::to_string(values.size()));
}

// addProduct(into, a, b, rows, inner, columns, scale)
void AddProductBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto into = RequireFloat32Array(info[0], "into");
  const auto a = RequireFloat32Array(info[1], "a");
  const auto b = RequireFloat32Array(info[2], "b");
  const uint64_t rows = RequireCount(info[3], "rows");
  const uint64_t inner = RequireCount(info[4], "inner");
  const uint64_t columns = RequireCount(info[5], "columns");
  const double scale = RequireNumber(info[6], "scale");
  RequireExtent(env, "into", into, rows, columns);
  RequireExtent(env, "a", a, rows, inner);
  RequireExtent(env, "b", b, inner, columns);
  AddProduct(into.data(), a.data(), b.data(), rows, inner, columns, static_cast<float>(scale));
}

}  // namespace

void RegisterMatrixProduct(Napi::Env env, Napi::Object exports) {
  exports.Set("addProduct", Napi::Function::New<AddProductBinding>(env, "addProduct"));
}

}  // namespace latentd

#include "lora/lora_binding.h"

#include <cstdint>
#include <span>
#include <string>

#include "arguments.h"
#include "lora/lora_arithmetic.h"
#include "lora/matrix_product.h"

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

void RequireSameLength(Napi::Env env, const char* name, std::span<const float> values,
                       std::span<const float> into) {
  RequireExtent(env, name, values, into.size(), 1);
}

// addScaled(into, change, factor)
void AddScaledBinding(const Napi::CallbackInfo& info) {
  const auto into = RequireFloat32Array(info[0], "into");
  const auto change = RequireFloat32Array(info[1], "change");
  const double factor = RequireNumber(info[2], "factor");
  RequireSameLength(info.Env(), "change", change, into);
  AddScaled(into, change.data(), static_cast<float>(factor));
}

// multiplyElements(into, other)
void MultiplyElementsBinding(const Napi::CallbackInfo& info) {
  const auto into = RequireFloat32Array(info[0], "into");
  const auto other = RequireFloat32Array(info[1], "other");
  RequireSameLength(info.Env(), "other", other, into);
  MultiplyElements(into, other.data());
}

// kronecker(into, a, aRows, aColumns, b, bRows, bColumns)
void KroneckerBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto into = RequireFloat32Array(info[0], "into");
  const auto a = RequireFloat32Array(info[1], "a");
  const uint64_t a_rows = RequireCount(info[2], "aRows");
  const uint64_t a_columns = RequireCount(info[3], "aColumns");
  const auto b = RequireFloat32Array(info[4], "b");
  const uint64_t b_rows = RequireCount(info[5], "bRows");
  const uint64_t b_columns = RequireCount(info[6], "bColumns");
  RequireExtent(env, "a", a, a_rows, a_columns);
  RequireExtent(env, "b", b, b_rows, b_columns);
  RequireExtent(env, "into", into, a.size(), b.size());
  if (!into.empty()) Kronecker(into.data(), a.data(), a_rows, a_columns, b.data(), b_rows, b_columns);
}

// decompose(values, change, magnitudes, groups, inner, normsOfValues, scale, strength)
void DecomposeBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto values = RequireFloat32Array(info[0], "values");
  const auto change = RequireFloat32Array(info[1], "change");
  const auto magnitudes = RequireFloat32Array(info[2], "magnitudes");
  const DecompositionShape shape{.groups = RequireCount(info[3], "groups"),
                                 .extent = magnitudes.size(),
                                 .inner = RequireCount(info[4], "inner")};
  if (!info[5].IsBoolean()) throw Napi::TypeError::New(env, "normsOfValues must be a boolean");
  const double scale = RequireNumber(info[6], "scale");
  const double strength = RequireNumber(info[7], "strength");
  RequireSameLength(env, "change", change, values);
  RequireExtent(env, "values", values, shape.groups * shape.inner, shape.extent);
  Decompose(values.data(), change.data(), magnitudes.data(), shape, info[5].As<Napi::Boolean>(),
            static_cast<float>(scale), static_cast<float>(strength));
}

}  // namespace

void RegisterLora(Napi::Env env, Napi::Object exports) {
  exports.Set("addProduct", Napi::Function::New<AddProductBinding>(env, "addProduct"));
  exports.Set("addScaled", Napi::Function::New<AddScaledBinding>(env, "addScaled"));
  exports.Set("multiplyElements", Napi::Function::New<MultiplyElementsBinding>(env, "multiplyElements"));
  exports.Set("kronecker", Napi::Function::New<KroneckerBinding>(env, "kronecker"));
  exports.Set("decompose", Napi::Function::New<DecomposeBinding>(env, "decompose"));
}

}  // namespace latentd

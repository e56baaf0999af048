#include "imaging/opencv_binding.h"

#include <cmath>
#include <string>

#include "arguments.h"
#include "imaging/extent_argument.h"
#include "imaging/opencv_resize.h"
#include "imaging/opencv_warp.h"
#include "imaging/paste_face.h"

namespace latentd {
namespace {

[[noreturn]] void Refuse(Napi::Env env, const std::string& message) {
  throw Napi::RangeError::New(env, message);
}

std::span<double> RequireFloat64Array(const Napi::Value& value, const char* name, size_t length) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Float64Array");
  }
  auto array = value.As<Napi::Float64Array>();
  if (array.ElementLength() != length) {
    Refuse(value.Env(), std::string(name) + " has " + std::to_string(array.ElementLength()) +
                            " elements, not " + std::to_string(length));
  }
  return {array.Data(), length};
}

std::span<float> RequireFloats(const Napi::Value& value, const char* name, size_t length) {
  const std::span<float> values = RequireFloat32Array(value, name);
  if (values.size() != length) {
    Refuse(value.Env(), std::string(name) + " has " + std::to_string(values.size()) + " elements, not " +
                            std::to_string(length));
  }
  return values;
}

opencv::Depth RequireDepth(const Napi::Value& value) {
  if (!value.IsBoolean()) throw Napi::TypeError::New(value.Env(), "bytes must be a boolean");
  return value.As<Napi::Boolean>().Value() ? opencv::Depth::kBytes : opencv::Depth::kFloat;
}

opencv::Affine RequireAffine(const Napi::Value& value) {
  const std::span<double> given = RequireFloat64Array(value, "matrix", 6);
  opencv::Affine matrix;
  for (size_t i = 0; i < matrix.size(); i++) {
    // Larger ones would leave the range of 64-bit fixed-point places.
    if (!(std::abs(given[i]) < 1e9)) Refuse(value.Env(), "matrix must hold finite numbers below 1e9");
    matrix[i] = given[i];
  }
  return matrix;
}

/// (values, channels, height, width, bytes): what a source picture is.
struct Source {
  size_t channels;
  opencv::Extents extents;
  std::span<float> values;
  opencv::Depth depth;

  explicit Source(const Napi::CallbackInfo& info)
      : channels(RequireExtent(info[1], "channels")),
        extents{RequireExtent(info[2], "height"), RequireExtent(info[3], "width")},
        values(RequireFloats(info[0], "values", channels * extents.Pixels())),
        depth(RequireDepth(info[4])) {
    if (channels > 4) Refuse(info.Env(), "channels must be at most 4");
  }
};

Napi::Value ResizeLinearArray(const Napi::CallbackInfo& info) {
  const Source source(info);
  const opencv::Extents to{RequireExtent(info[5], "toHeight"), RequireExtent(info[6], "toWidth")};
  const opencv::Scale scale{RequireNumber(info[7], "scaleY"), RequireNumber(info[8], "scaleX")};
  if (!(scale.y > 0 && scale.x > 0 && scale.y < kMaxExtent && scale.x < kMaxExtent)) {
    Refuse(info.Env(), "scaleY and scaleX must be positive");
  }
  auto out = Napi::Float32Array::New(info.Env(), source.channels * to.Pixels());
  opencv::ResizeLinear(source.depth, source.values.data(), out.Data(), source.channels, source.extents, to,
                       scale);
  return out;
}

Napi::Value WarpAffineArray(const Napi::CallbackInfo& info) {
  const Source source(info);
  const size_t height = RequireExtent(info[5], "toHeight");
  const size_t width = RequireExtent(info[6], "toWidth");
  const opencv::Affine matrix = RequireAffine(info[7]);
  const std::span<float> border = RequireFloats(info[8], "border", source.channels);
  auto out = Napi::Float32Array::New(info.Env(), source.channels * height * width);
  opencv::WarpAffine(source.depth, source.values.data(), out.Data(), source.channels, source.extents,
                     {0, 0, height, width}, matrix, border.data());
  return out;
}

void PasteFaceArray(const Napi::CallbackInfo& info) {
  const opencv::Extents extents{RequireExtent(info[1], "height"), RequireExtent(info[2], "width")};
  const std::span<double> picture = RequireFloat64Array(info[0], "picture", extents.Pixels() * 3);
  const size_t size = RequireExtent(info[4], "size");
  const std::span<float> face = RequireFloats(info[3], "face", size * size * 3);
  const std::span<double> parsed = RequireFloat64Array(info[5], "parsed", size * size);
  opencv::PasteFace(picture.data(), extents, face.data(), parsed.data(), size, RequireAffine(info[6]));
}

}  // namespace

void RegisterOpencv(Napi::Env env, Napi::Object exports) {
  exports.Set("resizeLinear", Napi::Function::New<ResizeLinearArray>(env, "resizeLinear"));
  exports.Set("warpAffine", Napi::Function::New<WarpAffineArray>(env, "warpAffine"));
  exports.Set("pasteFace", Napi::Function::New<PasteFaceArray>(env, "pasteFace"));
}

}  // namespace latentd

#include "imaging/imaging_binding.h"

#include <span>
#include <string>

#include "arguments.h"
#include "imaging/bislerp.h"
#include "imaging/extent_argument.h"
#include "imaging/lanczos.h"
#include "imaging/pixels.h"
#include "imaging/resize.h"

namespace latentd {
namespace {

/// (values, outer, channels, height, width, toHeight, toWidth): the arguments that every function here begins
/// with.
struct Arguments {
  std::span<float> values;
  size_t outer;
  size_t channels;
  Size from;
  Size to;

  explicit Arguments(const Napi::CallbackInfo& info)
      : values(RequireFloat32Array(info[0], "values")),
        outer(RequireExtent(info[1], "outer")),
        channels(RequireExtent(info[2], "channels")),
        from{RequireExtent(info[3], "height"), RequireExtent(info[4], "width")},
        to{RequireExtent(info[5], "toHeight"), RequireExtent(info[6], "toWidth")} {
    // In this order no product overflows: each factor is at most 2^20.
    const size_t pixels = from.height * from.width;
    if (values.size() % pixels != 0 || values.size() / pixels != outer * channels) {
      throw Napi::RangeError::New(
          info.Env(), "values has " + std::to_string(values.size()) + " elements, its extents say " +
                          std::to_string(outer) + "×" + std::to_string(channels) + "×" +
                          std::to_string(from.height) + "×" + std::to_string(from.width));
    }
  }

  Napi::Float32Array Output(Napi::Env env) const {
    return Napi::Float32Array::New(env, outer * channels * to.height * to.width);
  }
};

Napi::Value ResizeArray(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const std::string name = RequireString(info[7], "mode");
  const auto mode = ParseResizeMode(name);
  if (!mode) {
    throw Napi::TypeError::New(info.Env(),
                               "mode must be nearest-exact, bilinear, bicubic or area, got " + name);
  }
  auto out = arguments.Output(info.Env());
  Resize(*mode, arguments.values.data(), out.Data(), arguments.outer, arguments.channels, arguments.from,
         arguments.to);
  return out;
}

Napi::Value BislerpArray(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  auto out = arguments.Output(info.Env());
  Bislerp(arguments.values.data(), out.Data(), arguments.outer, arguments.channels, arguments.from,
          arguments.to);
  return out;
}

Napi::Value LanczosArray(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  if (arguments.channels != 3 && arguments.channels != 4) {
    throw Napi::RangeError::New(info.Env(),
                                "lanczos needs 3 or 4 channels, got " + std::to_string(arguments.channels));
  }
  auto out = arguments.Output(info.Env());
  Lanczos(arguments.values.data(), out.Data(), arguments.outer, arguments.channels, arguments.from,
          arguments.to);
  return out;
}

/// Calls `use` with a Uint8Array or a Uint16Array.
template <typename Use>
void WithPixels(const Napi::Value& value, const char* name, Use use) {
  const auto type = value.IsTypedArray() ? value.As<Napi::TypedArray>().TypedArrayType() : napi_int8_array;
  if (type == napi_uint8_array) {
    use(value.As<Napi::Uint8Array>());
  } else if (type == napi_uint16_array) {
    use(value.As<Napi::Uint16Array>());
  } else {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Uint8Array or a Uint16Array");
  }
}

/// (pixels) → a Float32Array.
Napi::Value UnpackPixels(const Napi::CallbackInfo& info) {
  Napi::Float32Array out;
  WithPixels(info[0], "pixels", [&](const auto& pixels) {
    out = Napi::Float32Array::New(info.Env(), pixels.ElementLength());
    FloatsOfPixels(pixels.Data(), out.Data(), pixels.ElementLength());
  });
  return out;
}

/// (values, start, into): as many values from `start` on as `into` holds.
void PackPixels(const Napi::CallbackInfo& info) {
  const auto values = RequireFloat32Array(info[0], "values");
  const uint64_t start = RequireCount(info[1], "start");
  WithPixels(info[2], "into", [&](auto into) {
    const size_t count = into.ElementLength();
    if (start > values.size() || values.size() - start < count) {
      throw Napi::RangeError::New(info.Env(), "values has " + std::to_string(values.size()) +
                                                  " elements, too few for " + std::to_string(count) +
                                                  " from " + std::to_string(start) + " on");
    }
    PixelsOfFloats(values.data() + start, into.Data(), count);
  });
}

}  // namespace

void RegisterImaging(Napi::Env env, Napi::Object exports) {
  exports.Set("resize", Napi::Function::New<ResizeArray>(env, "resize"));
  exports.Set("bislerp", Napi::Function::New<BislerpArray>(env, "bislerp"));
  exports.Set("lanczos", Napi::Function::New<LanczosArray>(env, "lanczos"));
  exports.Set("unpackPixels", Napi::Function::New<UnpackPixels>(env, "unpackPixels"));
  exports.Set("packPixels", Napi::Function::New<PackPixels>(env, "packPixels"));
}

}  // namespace latentd

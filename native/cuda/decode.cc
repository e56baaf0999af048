#include "cuda/decode.h"

#include <array>
#include <string>

#include "arguments.h"
#include "files/mapped_bytes.h"

namespace latentd::cuda {
namespace {

[[noreturn]] void Refuse(Napi::Env env, const std::string& what) {
  throw Napi::RangeError::New(env, "a CUDA program is not what it should be: " + what);
}

int64_t IntegerOr(const Napi::Object& object, const char* name, int64_t absent) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return absent;
  if (!value.IsNumber()) Refuse(object.Env(), std::string(name) + " must be a number");
  return value.As<Napi::Number>().Int64Value();
}

int SmallOr(const Napi::Object& object, const char* name, int absent, int least, int most) {
  const int64_t value = IntegerOr(object, name, absent);
  if (value < least || value > most) {
    Refuse(object.Env(), std::string(name) + " is " + std::to_string(value) + ", not between " +
                             std::to_string(least) + " and " + std::to_string(most));
  }
  return static_cast<int>(value);
}

constexpr int kMostRows = 1 << 30;

View ReadView(const Napi::Object& instruction, const char* name, int64_t arena_bytes) {
  const Napi::Value value = instruction.Get(name);
  if (!value.IsObject()) return {};
  const auto object = value.As<Napi::Object>();
  View view;
  view.offset = IntegerOr(object, "offset", -1);
  view.stride = IntegerOr(object, "stride", -1);
  view.rows = SmallOr(object, "rows", 0, 1, kMostRows);
  view.columns = SmallOr(object, "columns", 0, 1, kMostRows);
  view.element = static_cast<Element>(SmallOr(object, "element", 0, 0, 2));
  const int64_t size = view.element == Element::kHalf ? 2 : 4;
  const bool inside = view.offset >= 0 && view.stride >= view.columns && view.stride <= kMostRows &&
                      view.offset + ((view.rows - 1) * view.stride + view.columns) * size <= arena_bytes;
  if (!inside || (view.element == Element::kHalf && (view.offset % 16 != 0 || view.stride % kVector != 0))) {
    Refuse(object.Env(), std::string(name) + " doesn't lie within the arena");
  }
  return view;
}

Window ReadWindow(const Napi::Object& instruction) {
  const Napi::Value value = instruction.Get("window");
  if (!value.IsArray()) return {};
  const auto array = value.As<Napi::Array>();
  Window window{};
  const std::array fields = {&window.stored_height, &window.stored_width, &window.shift_y,
                             &window.shift_x,       &window.height,       &window.width,
                             &window.out_height,    &window.out_width,    &window.kernel_height,
                             &window.kernel_width,  &window.stride,       &window.top,
                             &window.left,          &window.channels};
  if (array.Length() != fields.size()) Refuse(array.Env(), "a window has another number of fields");
  for (uint32_t i = 0; i < fields.size(); ++i) {
    *fields[i] = Napi::Value(array.Get(i)).As<Napi::Number>().Int32Value();
  }
  return window;
}

std::vector<Port> ReadPorts(const Napi::Object& program, const char* name) {
  const auto array = program.Get(name).As<Napi::Array>();
  std::vector<Port> ports;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto port = Napi::Value(array.Get(i)).As<Napi::Object>();
    ports.push_back({RequireString(port.Get("name"), "name"), IntegerOr(port, "count", 0),
                     SmallOr(port, "rows", 1, 1, kMostRows), port.Get("integer").ToBoolean().Value()});
  }
  return ports;
}

Instruction ReadInstruction(const Napi::Object& object, const Program& program, int weights) {
  const int64_t arena = program.arena_bytes;
  Instruction i;
  i.kind = static_cast<Kind>(SmallOr(object, "kind", -1, 0, static_cast<int>(Kind::kLowFrequencies)));
  i.layer = RequireString(object.Get("layer"), "layer");
  i.x = ReadView(object, "x", arena);
  i.other = ReadView(object, "other", arena);
  i.out = ReadView(object, "out", arena);
  i.residual = ReadView(object, "residual", arena);
  i.sums = ReadView(object, "sums", arena);
  i.scratch = ReadView(object, "scratch", arena);
  i.key = ReadView(object, "key", arena);
  i.value = ReadView(object, "value", arena);
  const auto& ports = i.kind == Kind::kExport ? program.outputs : program.inputs;
  i.port = SmallOr(object, "port", -1, -1, static_cast<int>(ports.size()) - 1);
  i.pixels = SmallOr(object, "pixels", 1, 1, kMostRows);
  i.weight = SmallOr(object, "weight", -1, -1, weights - 1);
  i.bias = SmallOr(object, "bias", -1, -1, weights - 1);
  i.activation =
      static_cast<Activation>(SmallOr(object, "activation", 0, 0, static_cast<int>(Activation::kGeluTanh)));
  i.window = ReadWindow(object);
  i.operation = static_cast<Elementwise>(
      SmallOr(object, "operation", 0, 0, static_cast<int>(Elementwise::kScaleChannels)));
  i.batch = SmallOr(object, "batch", 1, 1, kMostRows);
  i.heads = SmallOr(object, "heads", 1, 1, kMostRows);
  i.groups = SmallOr(object, "groups", 1, 1, kMostRows);
  i.parts = SmallOr(object, "parts", 1, 1, kMostRows);
  i.period = SmallOr(object, "period", 1, 1, kMostRows);
  i.height = SmallOr(object, "height", 0, 0, kMostRows);
  i.width = SmallOr(object, "width", 0, 0, kMostRows);
  i.out_height = SmallOr(object, "outHeight", 0, 0, kMostRows);
  i.out_width = SmallOr(object, "outWidth", 0, 0, kMostRows);
  i.epsilon = object.Get("epsilon").ToNumber().FloatValue();
  const Napi::Value factor = object.Get("factor");
  if (factor.IsNumber()) i.factor = factor.As<Napi::Number>().FloatValue();
  i.silu = object.Get("silu").ToBoolean().Value();
  i.causal = object.Get("causal").ToBoolean().Value();
  const bool needs_weight = i.kind == Kind::kProduct || i.kind == Kind::kGroupNorm ||
                            i.kind == Kind::kLayerNorm ||
                            (i.kind == Kind::kElementwise &&
                             (i.operation == Elementwise::kAddRows || i.operation == Elementwise::kPrelu));
  if (needs_weight && i.weight < 0) Refuse(object.Env(), "a weight is missing in " + i.layer);
  const bool is_port = i.kind == Kind::kImport || i.kind == Kind::kExport;
  if (is_port && i.port < 0) Refuse(object.Env(), "a port is missing");
  return i;
}

using KeptValues = std::vector<Napi::Reference<Napi::Value>>;

/// `count` values of a file, or given as an array.
StoredTensor ReadStored(const Napi::Object& object, uint64_t count, KeptValues& kept) {
  const Napi::Env env = object.Env();
  StoredTensor stored;
  stored.format = static_cast<StoredDType>(
      SmallOr(object, "format", static_cast<int>(StoredDType::kF32), 0, static_cast<int>(kDTypeCount) - 1));
  if (RowOf(stored.format).use != DTypeUse::kInPlace) {
    Refuse(env,
           std::string("weights of the type ") + RowOf(stored.format).name + " can't be used as they lie");
  }
  const Napi::Value values = object.Get("values");
  if (values.IsUndefined()) return stored;
  kept.push_back(Napi::Reference<Napi::Value>::New(values, 1));
  if (values.IsTypedArray()) {
    const auto array = RequireFloat32Array(values, "values");
    if (array.size() != count) Refuse(env, "a weight has another number of values");
    stored.data = reinterpret_cast<const std::byte*>(array.data());
    return stored;
  }
  if (!values.IsExternal() || !values.As<Napi::External<MappedBytes>>().CheckTypeTag(&kMappedBytesTag)) {
    throw Napi::TypeError::New(env, "values must be a Float32Array or a mapped file");
  }
  const MappedBytes& file = *values.As<Napi::External<MappedBytes>>().Data();
  const uint64_t offset = RequireCount(object.Get("offset"), "offset");
  if (offset > file.size || BytesOf(stored.format, count) > file.size - offset) {
    Refuse(env, "a weight lies beyond the end of its file");
  }
  stored.data = file.data + offset;
  return stored;
}

WeightPart ReadPart(const Napi::Value& value, KeptValues& kept) {
  const auto object = value.As<Napi::Object>();
  WeightPart part;
  part.rows = SmallOr(object, "rows", 0, 1, kMostRows);
  part.channels = SmallOr(object, "channels", 1, 1, kMostRows);
  part.taps = SmallOr(object, "taps", 1, 1, kMostRows);
  const uint64_t row_length = uint64_t{1} * part.channels * part.taps;
  part.stored = ReadStored(object, part.rows * row_length, kept);
  const Napi::Value products = object.Get("products");
  if (!products.IsArray()) return part;
  const auto array = products.As<Napi::Array>();
  if (array.Length() > kMostProducts) Refuse(value.Env(), "a weight has too many LoRAs");
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto given = Napi::Value(array.Get(i)).As<Napi::Object>();
    AddedProduct product;
    product.rank = SmallOr(given, "rank", 0, 1, kMostRows);
    product.factor = static_cast<float>(RequireNumber(given.Get("factor"), "factor"));
    const auto rank = static_cast<uint64_t>(product.rank);
    product.up = ReadStored(given.Get("up").As<Napi::Object>(), part.rows * rank, kept);
    product.down = ReadStored(given.Get("down").As<Napi::Object>(), rank * row_length, kept);
    if (product.up.data == nullptr || product.down.data == nullptr)
      Refuse(value.Env(), "half a LoRA is missing");
    part.products.push_back(product);
  }
  return part;
}

}  // namespace

Program DecodeProgram(const Napi::Object& value, size_t weights) {
  Program program;
  program.arena_bytes = IntegerOr(value, "arenaBytes", 0);
  program.inputs = ReadPorts(value, "inputs");
  program.outputs = ReadPorts(value, "outputs");
  const auto instructions = value.Get("instructions").As<Napi::Array>();
  for (uint32_t i = 0; i < instructions.Length(); ++i) {
    const Napi::HandleScope scope(value.Env());
    program.instructions.push_back(ReadInstruction(Napi::Value(instructions.Get(i)).As<Napi::Object>(),
                                                   program, static_cast<int>(weights)));
  }
  return program;
}

DecodedWeights DecodeWeights(const Napi::Value& value) {
  DecodedWeights decoded;
  const auto entries = value.As<Napi::Array>();
  for (uint32_t i = 0; i < entries.Length(); ++i) {
    const Napi::HandleScope scope(value.Env());
    const auto object = Napi::Value(entries.Get(i)).As<Napi::Object>();
    WeightEntry entry;
    entry.place.rows = SmallOr(object, "rows", 0, 1, kMostRows);
    entry.place.columns = SmallOr(object, "columns", 0, 1, kMostRows);
    entry.wide = object.Get("wide").ToBoolean().Value();
    entry.pairs = object.Get("pairs").ToBoolean().Value();
    const auto parts = object.Get("parts").As<Napi::Array>();
    int64_t rows = 0;
    for (uint32_t k = 0; k < parts.Length(); ++k) {
      entry.parts.push_back(ReadPart(parts.Get(k), decoded.kept));
      rows += entry.parts.back().rows;
    }
    if (rows > entry.place.rows) Refuse(value.Env(), "a weight has more rows than room for them");
    decoded.entries.push_back(std::move(entry));
  }
  return decoded;
}

}  // namespace latentd::cuda

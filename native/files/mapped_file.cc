#include "files/mapped_file.h"

#include <cstring>
#include <string>

#include "arguments.h"
#include "files/mapped_bytes.h"
#include "files/widen.h"

namespace latentd {
namespace {

// Tells MappedFiles from other objects, whose memory must not be taken for one.
constexpr napi_type_tag kTypeTag{0x6c6174656e746420, 0x6d61707065642066};

Napi::Value NarrowArray(const Napi::CallbackInfo& info) {
  const auto from = RequireFloat32Array(info[0], "values");
  auto into = Napi::Uint16Array::New(info.Env(), from.size());
  NarrowToF16(from.data(), into.Data(), from.size());
  return into;
}

/// The rows of kDTypes, for the table in TypeScript to be compared with.
Napi::Array DTypeRows(Napi::Env env) {
  auto rows = Napi::Array::New(env, kDTypeCount);
  for (uint32_t index = 0; index < kDTypeCount; ++index) {
    const DTypeRow& row = kDTypes[index];
    auto object = Napi::Object::New(env);
    object.Set("name", row.name);
    object.Set("blockValues", static_cast<double>(row.block_values));
    object.Set("blockBytes", static_cast<double>(row.block_bytes));
    object.Set("widens", row.use != DTypeUse::kSizeOnly);
    object.Set("inPlace", row.use == DTypeUse::kInPlace);
    rows.Set(index, object);
  }
  return rows;
}

}  // namespace

void MappedFile::Register(Napi::Env env, Napi::Object exports) {
  exports.Set("MappedFile", DefineClass(env, "MappedFile",
                                        {
                                            InstanceAccessor<&MappedFile::Size>("size"),
                                            InstanceMethod<&MappedFile::Read>("read"),
                                            InstanceMethod<&MappedFile::WidenInto>("widen"),
                                            InstanceMethod<&MappedFile::Close>("close"),
                                            InstanceMethod<&MappedFile::Hold>("hold"),
                                        }));
  exports.Set("dtypes", DTypeRows(env));
  exports.Set("narrowToF16", Napi::Function::New<NarrowArray>(env, "narrowToF16"));
}

MappedFile::MappedFile(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<MappedFile>(info), path_(RequireString(info[0], "path")) {
  map_ = std::make_shared<const FileMap>(path_);
  info.This().As<Napi::Object>().TypeTag(&kTypeTag);
}

std::shared_ptr<const FileMap> MappedFile::MapOf(const Napi::Value& value, const char* name) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTypeTag)) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a MappedFile");
  }
  const MappedFile* file = Unwrap(value.As<Napi::Object>());
  file->Map(value.Env());
  return file->map_;
}

Napi::Value MappedFile::Hold(const Napi::CallbackInfo& info) {
  struct Held : MappedBytes {
    std::shared_ptr<const FileMap> map;
  };
  Map(info.Env());
  auto held = std::make_unique<Held>(Held{{map_->data(), map_->size()}, map_});
  const auto release = [](Napi::Env, MappedBytes* bytes) { delete static_cast<Held*>(bytes); };
  auto external =
      Napi::External<MappedBytes>::New(info.Env(), static_cast<MappedBytes*>(held.get()), release);
  static_cast<void>(held.release());
  external.TypeTag(&kMappedBytesTag);
  return external;
}

const FileMap& MappedFile::Map(Napi::Env env) const {
  if (!map_) throw Napi::Error::New(env, path_ + " is closed");
  return *map_;
}

void MappedFile::RequireInside(Napi::Env env, uint64_t offset, uint64_t length) const {
  const uint64_t size = Map(env).size();
  if (offset > size || length > size - offset) {
    throw Napi::RangeError::New(env, std::to_string(length) + " bytes at " + std::to_string(offset) +
                                         " are beyond the end of " + path_ + ", which has " +
                                         std::to_string(size) + " bytes");
  }
}

Napi::Value MappedFile::Size(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Map(info.Env()).size()));
}

Napi::Value MappedFile::Read(const Napi::CallbackInfo& info) {
  const uint64_t offset = RequireCount(info[0], "offset");
  const uint64_t length = RequireCount(info[1], "length");
  RequireInside(info.Env(), offset, length);
  auto bytes = Napi::Uint8Array::New(info.Env(), length);
  if (length > 0) std::memcpy(bytes.Data(), map_->data() + offset, length);
  return bytes;
}

void MappedFile::WidenInto(const Napi::CallbackInfo& info) {
  const uint64_t offset = RequireCount(info[0], "offset");
  const std::string name = RequireString(info[1], "dtype");
  const auto dtype = ParseStoredDType(name);
  if (!dtype || RowOf(*dtype).use == DTypeUse::kSizeOnly) {
    throw Napi::TypeError::New(info.Env(), "values of the type " + name + " can't be read");
  }
  const auto into = RequireFloat32Array(info[2], "into");
  if (into.size() % RowOf(*dtype).block_values != 0) {
    throw Napi::RangeError::New(info.Env(), "values of the type " + name + " are read in whole blocks");
  }
  const uint64_t length = BytesOf(*dtype, into.size());
  RequireInside(info.Env(), offset, length);
  if (into.empty()) return;
  map_->WillNeed(offset, length);
  Widen(*dtype, map_->data() + offset, into.data(), into.size());
}

void MappedFile::Close(const Napi::CallbackInfo&) { map_.reset(); }

}  // namespace latentd

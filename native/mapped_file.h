// The JavaScript class MappedFile and the float conversions beside it.
#pragma once

#include <napi.h>

#include <optional>

#include "file_map.h"

namespace latentd {

class MappedFile : public Napi::ObjectWrap<MappedFile> {
 public:
  explicit MappedFile(const Napi::CallbackInfo& info);

  static void Register(Napi::Env env, Napi::Object exports);

 private:
  Napi::Value Size(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  void WidenInto(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  /// The open map; throws once closed.
  const FileMap& Map(Napi::Env env) const;
  void RequireInside(Napi::Env env, uint64_t offset, uint64_t length) const;

  std::string path_;
  std::optional<FileMap> map_;
};

}  // namespace latentd

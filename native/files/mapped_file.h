// The JavaScript class MappedFile and the float conversions beside it.
#pragma once

#include <napi.h>

#include <memory>

#include "files/file_map.h"

namespace latentd {

class MappedFile : public Napi::ObjectWrap<MappedFile> {
 public:
  explicit MappedFile(const Napi::CallbackInfo& info);

  static void Register(Napi::Env env, Napi::Object exports);

  /// The map behind a JavaScript MappedFile, which stays mapped as long as the result lives, closed or not.
  /// Throws a TypeError for any other value and an Error for a closed file.
  static std::shared_ptr<const FileMap> MapOf(const Napi::Value& value, const char* name);

 private:
  Napi::Value Size(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  void WidenInto(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);
  Napi::Value Hold(const Napi::CallbackInfo& info);

  /// The open map; throws once closed.
  const FileMap& Map(Napi::Env env) const;
  void RequireInside(Napi::Env env, uint64_t offset, uint64_t length) const;

  std::string path_;
  std::shared_ptr<const FileMap> map_;
};

}  // namespace latentd

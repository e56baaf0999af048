// A file mapped read-only into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace latentd {

/// Owns the mapping. Throws std::system_error when the file can't be opened or mapped.
class FileMap {
 public:
  explicit FileMap(const std::string& path);
  ~FileMap();
  FileMap(FileMap&& other) noexcept;
  FileMap(const FileMap&) = delete;
  FileMap& operator=(FileMap&&) = delete;
  FileMap& operator=(const FileMap&) = delete;

  const std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }

  /// Asks the kernel to read these bytes ahead.
  void WillNeed(uint64_t offset, uint64_t length) const;

 private:
  const std::byte* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace latentd

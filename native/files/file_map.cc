#include "files/file_map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace latentd {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void Fail(int code, const std::string& path) {
  throw std::system_error(code, std::generic_category(), "can't map " + path);
}

}  // namespace

FileMap::FileMap(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail(errno, path);
  const Descriptor file(fd);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) Fail(errno, path);
  if (S_ISDIR(status.st_mode)) Fail(EISDIR, path);
  if (!S_ISREG(status.st_mode)) Fail(EINVAL, path);
  size_ = static_cast<uint64_t>(status.st_size);
  if (size_ == 0) return;
  void* address = mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) Fail(errno, path);
  data_ = static_cast<const std::byte*>(address);
}

FileMap::~FileMap() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

FileMap::FileMap(FileMap&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

void FileMap::WillNeed(uint64_t offset, uint64_t length) const {
  if (length == 0) return;
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t start = offset / page * page;
  // Advice only: a failure changes nothing but speed.
  static_cast<void>(madvise(const_cast<std::byte*>(data_ + start), offset + length - start, MADV_WILLNEED));
}

}  // namespace latentd

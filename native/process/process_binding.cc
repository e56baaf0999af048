#include "process/process_binding.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "arguments.h"

namespace latentd {
namespace {

Napi::Error SystemError(Napi::Env env, const std::string& what) {
  return Napi::Error::New(env, what + ": " + std::strerror(errno));
}

/// A socket that is closed at the end of its scope.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// notifyService(socket, state): one datagram to a Unix socket, whose name is a path, or abstract where it
/// begins with @ (systemd's sd_notify(3)).
void NotifyService(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = RequireString(info[0], "socket");
  const std::string state = RequireString(info[1], "state");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || (name[0] != '/' && name[0] != '@') || name.size() >= sizeof address.sun_path) {
    throw Napi::RangeError::New(env,
                                "socket must be an absolute path or an abstract name of at most 107 bytes");
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());

  const Socket sender(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (sender.descriptor() < 0) throw SystemError(env, "no socket to notify the service manager");
  // MSG_DONTWAIT: a manager that reads nothing must not hold the daemon up.
  const ssize_t sent = sendto(sender.descriptor(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                              reinterpret_cast<const sockaddr*>(&address), length);
  if (sent < 0) throw SystemError(env, "the service manager at " + name + " could not be notified");
}

/// endWithParent(): the kernel kills this process when the thread that started it ends, however that ends.
void EndWithParent(const Napi::CallbackInfo& info) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) throw SystemError(info.Env(), "prctl(PR_SET_PDEATHSIG)");
}

/// giveBackMemory(): pages that the C library keeps though nothing lies in them go back to the kernel.
void GiveBackMemory(const Napi::CallbackInfo&) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

void RegisterProcess(Napi::Env env, Napi::Object exports) {
  exports.Set("notifyService", Napi::Function::New(env, NotifyService, "notifyService"));
  exports.Set("giveBackMemory", Napi::Function::New(env, GiveBackMemory, "giveBackMemory"));
  exports.Set("endWithParent", Napi::Function::New(env, EndWithParent, "endWithParent"));
}

}  // namespace latentd

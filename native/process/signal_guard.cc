#include "process/signal_guard.h"

#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "arguments.h"

namespace latentd {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

static_assert(std::atomic<int>::is_always_lock_free, "the handler may touch lock-free atomics only");

// What the handler touches. It runs on any thread between any two instructions, so it stores numbers, posts a
// semaphore and hands on to the handler that was there before (libuv's, which tells the event loop).
std::atomic<int> last_signal{0};
std::atomic<int> signals_seen{0};
sem_t arrival;
struct sigaction earlier[NSIG];

/// What the watching thread shares with JavaScript's.
struct Guard {
  std::mutex mutex;
  /// Nothing is watched while it is false.
  bool armed = false;
  std::chrono::milliseconds patience{0};
  /// Written to standard output when the process is ended from here.
  std::string last_words;
  std::set<std::string> temporary;
};

std::atomic<bool> answered{false};

/// Lives as long as the process: its thread is detached.
Guard& TheGuard() {
  static Guard* const guard = new Guard;
  return *guard;
}

void HandleSignal(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  last_signal.store(signal);
  signals_seen.fetch_add(1);
  sem_post(&arrival);
  const struct sigaction& before = earlier[signal];
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  }
  errno = saved;
}

void WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

/// Ends the process without its event loop. The guard's mutex is held.
[[noreturn]] void End(const Guard& guard) {
  for (const std::string& path : guard.temporary) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  // A progress bar may have hidden the cursor.
  if (isatty(STDERR_FILENO) != 0) WriteAll(STDERR_FILENO, "\x1b[?25h\n");
  WriteAll(STDERR_FILENO, "latentd: stopped by a signal in the middle of its work\n");
  WriteAll(STDOUT_FILENO, guard.last_words);
  _exit(128 + last_signal.load());
}

/// Waits until a signal comes or a deadline passes; false for the deadline.
bool AwaitSignal(std::chrono::milliseconds patience) {
  timespec deadline{};
  clock_gettime(CLOCK_REALTIME, &deadline);
  const int64_t nanoseconds = deadline.tv_nsec + std::chrono::nanoseconds(patience).count();
  deadline.tv_sec += nanoseconds / 1'000'000'000;
  deadline.tv_nsec = nanoseconds % 1'000'000'000;
  while (sem_timedwait(&arrival, &deadline) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

void Watch() {
  Guard& guard = TheGuard();
  for (;;) {
    while (sem_wait(&arrival) != 0) {
    }
    const auto patience = [&guard] {
      const std::lock_guard lock(guard.mutex);
      return guard.patience;
    }();
    const bool again = signals_seen.load() > 1 || AwaitSignal(patience);
    const std::lock_guard lock(guard.mutex);
    if (guard.armed && (again || !answered.load())) End(guard);
  }
}

Napi::Error SystemError(Napi::Env env, const char* what) {
  return Napi::Error::New(env, std::string(what) + ": " + std::system_category().message(errno));
}

void Install(Napi::Env env) {
  for (const int signal : kSignals) {
    struct sigaction action {};
    action.sa_sigaction = HandleSignal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    struct sigaction before {};
    if (sigaction(signal, nullptr, &before) != 0) throw SystemError(env, "sigaction");
    const bool ours = (before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction == HandleSignal;
    if (ours) continue;
    earlier[signal] = before;
    if (sigaction(signal, &action, nullptr) != 0) throw SystemError(env, "sigaction");
  }
}

/// guardSignals(patience, lastWords): from now on, SIGINT, SIGTERM and SIGHUP end the process when
/// JavaScript, which has handlers for them, hasn't called answerSignal() within `patience` milliseconds, and
/// the second one ends it at once. Exits with 128 + the signal's number, after temporary files were removed
/// and `lastWords` written to standard output.
void GuardSignals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint64_t patience = RequireCount(info[0], "patience");
  std::string last_words = RequireString(info[1], "lastWords");
  static bool watching = false;
  if (!watching) {
    if (sem_init(&arrival, 0, 0) != 0) throw SystemError(env, "sem_init");
    std::thread(Watch).detach();
    watching = true;
  }
  Guard& guard = TheGuard();
  const std::lock_guard lock(guard.mutex);
  guard.patience = std::chrono::milliseconds(patience);
  guard.last_words = std::move(last_words);
  answered = false;
  signals_seen = 0;
  guard.armed = true;
  Install(env);
}

/// answerSignal(): the event loop turns and sees to the signal.
void AnswerSignal(const Napi::CallbackInfo&) { answered = true; }

/// releaseSignals(): what guardSignals() did counts no more.
void ReleaseSignals(const Napi::CallbackInfo&) {
  Guard& guard = TheGuard();
  const std::lock_guard lock(guard.mutex);
  guard.armed = false;
}

/// trackTemporary(path): a file or folder to remove if the process is ended by a signal.
void TrackTemporary(const Napi::CallbackInfo& info) {
  std::string path = RequireString(info[0], "path");
  Guard& guard = TheGuard();
  const std::lock_guard lock(guard.mutex);
  guard.temporary.insert(std::move(path));
}

void UntrackTemporary(const Napi::CallbackInfo& info) {
  const std::string path = RequireString(info[0], "path");
  Guard& guard = TheGuard();
  const std::lock_guard lock(guard.mutex);
  guard.temporary.erase(path);
}

}  // namespace

void RegisterSignalGuard(Napi::Env env, Napi::Object exports) {
  exports.Set("guardSignals", Napi::Function::New(env, GuardSignals, "guardSignals"));
  exports.Set("answerSignal", Napi::Function::New(env, AnswerSignal, "answerSignal"));
  exports.Set("releaseSignals", Napi::Function::New(env, ReleaseSignals, "releaseSignals"));
  exports.Set("trackTemporary", Napi::Function::New(env, TrackTemporary, "trackTemporary"));
  exports.Set("untrackTemporary", Napi::Function::New(env, UntrackTemporary, "untrackTemporary"));
}

}  // namespace latentd

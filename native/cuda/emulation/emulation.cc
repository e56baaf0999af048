#include "cuda/emulation/emulation.h"

#include <ucontext.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

namespace latentd::cuda::emulation {
namespace {

constexpr size_t kStackBytes = 128 << 10;
constexpr int kWarp = 32;

#if defined(__x86_64__)
// Saves what a call must keep, changes stacks, and returns on the other one.
extern "C" void latentd_switch_stack(void** from, void* to);
asm(R"(
.text
.globl latentd_switch_stack
.hidden latentd_switch_stack
.type latentd_switch_stack, @function
latentd_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size latentd_switch_stack, .-latentd_switch_stack
)");

/// A flow of control with a stack of its own.
class Context {
 public:
  void Start(std::byte* stack, void (*entry)()) {
    // The entry finds the stack as after a call: 8 bytes off a multiple of 16.
    auto* top = reinterpret_cast<void**>(stack + kStackBytes - 64);
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    pointer_ = top;
  }
  void SwitchTo(Context& other) { latentd_switch_stack(&pointer_, other.pointer_); }

 private:
  void* pointer_ = nullptr;
};
#else
class Context {
 public:
  void Start(std::byte* stack, void (*entry)()) {
    getcontext(&context_);
    context_.uc_stack = {stack, 0, kStackBytes};
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
  }
  void SwitchTo(Context& other) { swapcontext(&context_, &other.context_); }

 private:
  ucontext_t context_{};
};
#endif

enum class State { kReady, kAtBarrier, kInWarp, kDone };

struct Copy {
  void* to;
  const void* from;
  int bytes;
  int zeros;
};

struct Fiber {
  Context context;
  Place place;
  State state = State::kReady;
  void (*meeting)(void* const*) = nullptr;
  void* argument = nullptr;
  std::vector<Copy> open;
  std::vector<std::vector<Copy>> committed;
};

/// One block at a time; as many as there are threads that launch.
class Processor {
 public:
  void Run(const Place& place, const std::function<void()>& body) {
    body_ = &body;
    error_ = nullptr;
    const unsigned threads = place.block_size.x * place.block_size.y * place.block_size.z;
    if (threads > fibers_.size()) {
      fibers_.resize(threads);
      stacks_.resize(threads);
      for (auto& stack : stacks_) {
        if (!stack) stack = std::make_unique<std::byte[]>(kStackBytes);
      }
    }
    for (unsigned i = 0; i < threads; ++i) {
      Fiber& fiber = fibers_[i];
      fiber.place = place;
      fiber.place.thread = dim3(i % place.block_size.x, i / place.block_size.x % place.block_size.y,
                                i / (place.block_size.x * place.block_size.y));
      fiber.state = State::kReady;
      fiber.open.clear();
      fiber.committed.clear();
      fiber.context.Start(stacks_[i].get(), &Processor::Entry);
    }
    Schedule(threads);
    if (error_) std::rethrow_exception(error_);
  }

  Fiber& current() { return *current_; }
  std::vector<uint32_t> shared;

  void Yield() {
    Fiber& self = *current_;
    self.context.SwitchTo(scheduler_);
  }

 private:
  static void Entry();

  void Schedule(unsigned threads) {
    backwards_ = !backwards_;
    for (;;) {
      bool ran = false;
      for (unsigned turn = 0; turn < threads; ++turn) {
        const unsigned i = backwards_ ? threads - 1 - turn : turn;
        if (fibers_[i].state != State::kReady) continue;
        current_ = &fibers_[i];
        scheduler_.SwitchTo(current_->context);
        ran = true;
        // A fiber that threw leaves the others where they are.
        if (error_) return;
      }
      if (MeetWarps(threads) || ran) continue;
      unsigned waiting = 0;
      unsigned done = 0;
      for (unsigned i = 0; i < threads; ++i) {
        waiting += fibers_[i].state == State::kAtBarrier;
        done += fibers_[i].state == State::kDone;
      }
      if (done == threads) return;
      if (waiting + done != threads) throw std::logic_error("threads of a block wait in different places");
      for (unsigned i = 0; i < threads; ++i) {
        if (fibers_[i].state == State::kAtBarrier) fibers_[i].state = State::kReady;
      }
    }
  }

  bool MeetWarps(unsigned threads) {
    bool met = false;
    for (unsigned first = 0; first + kWarp <= threads; first += kWarp) {
      void* arguments[kWarp];
      bool complete = true;
      for (int lane = 0; lane < kWarp && complete; ++lane) {
        const Fiber& fiber = fibers_[first + lane];
        complete = fiber.state == State::kInWarp && fiber.meeting == fibers_[first].meeting;
        arguments[lane] = fiber.argument;
      }
      if (!complete) continue;
      fibers_[first].meeting(arguments);
      for (int lane = 0; lane < kWarp; ++lane) fibers_[first + lane].state = State::kReady;
      met = true;
    }
    return met;
  }

  std::vector<Fiber> fibers_;
  std::vector<std::unique_ptr<std::byte[]>> stacks_;
  Context scheduler_;
  Fiber* current_ = nullptr;
  const std::function<void()>* body_ = nullptr;
  std::exception_ptr error_;
  bool backwards_ = true;
};

thread_local Processor processor;

void Processor::Entry() {
  try {
    (*processor.body_)();
  } catch (...) {
    processor.error_ = std::current_exception();
  }
  processor.current_->state = State::kDone;
  processor.Yield();
}

void Perform(const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) {
    std::memcpy(copy.to, copy.from, static_cast<size_t>(copy.bytes));
    std::memset(static_cast<std::byte*>(copy.to) + copy.bytes, 0, static_cast<size_t>(copy.zeros));
  }
}

}  // namespace

const Place& Here() { return processor.current().place; }

void Run(dim3 grid, dim3 block, size_t shared_bytes, const std::function<void()>& body) {
  constexpr uint32_t kNan = 0xffffffff;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        processor.shared.assign(shared_bytes / sizeof(uint32_t) + 64, kNan);
        processor.Run({dim3(0, 0, 0), dim3(x, y, z), block, grid}, body);
      }
    }
  }
}

void WaitForBlock() {
  processor.current().state = State::kAtBarrier;
  processor.Yield();
}

void MeetWarp(void (*function)(void* const* lanes), void* argument) {
  Fiber& fiber = processor.current();
  fiber.state = State::kInWarp;
  fiber.meeting = function;
  fiber.argument = argument;
  processor.Yield();
}

void* SharedMemory() {
  const auto address = reinterpret_cast<uintptr_t>(processor.shared.data());
  return reinterpret_cast<void*>((address + 127) / 128 * 128);
}

void RequireAligned(const void* address, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0) throw std::logic_error("a misaligned address");
}

void CopyLater(void* to, const void* from, int bytes, int zeros) {
  RequireAligned(to, static_cast<size_t>(bytes + zeros));
  RequireAligned(from, static_cast<size_t>(bytes + zeros));
  processor.current().open.push_back({to, from, bytes, zeros});
}

void CommitCopies() {
  Fiber& fiber = processor.current();
  fiber.committed.push_back(std::move(fiber.open));
  fiber.open.clear();
}

void AwaitCopies(int groups_left) {
  auto& committed = processor.current().committed;
  while (committed.size() > static_cast<size_t>(groups_left)) {
    Perform(committed.front());
    committed.erase(committed.begin());
  }
}

}  // namespace latentd::cuda::emulation

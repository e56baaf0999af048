// Work on the card as a promise.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "cuda/device.h"

namespace latentd::cuda {

/// Runs `work` on a worker thread, with the card to itself unless it takes that itself, then makes the
/// promise's value on the main thread.
class Task : public Napi::AsyncWorker {
 public:
  using Work = std::function<void()>;
  using Finish = std::function<Napi::Value(Napi::Env)>;

  enum class DeviceLock { kHeld, kLeft };

  static Napi::Promise Start(Napi::Env env, std::shared_ptr<Device> device, Work work, Finish finish,
                             DeviceLock lock = DeviceLock::kHeld) {
    auto* task = new Task(env, std::move(device), std::move(work), std::move(finish), lock);
    const Napi::Promise promise = task->deferred_.Promise();
    task->Queue();  // Deletes itself when it is done, as AsyncWorker does.
    return promise;
  }

 protected:
  void Execute() override {
    try {
      std::unique_lock held(device_->mutex, std::defer_lock);
      if (lock_ == DeviceLock::kHeld) held.lock();
      work_();
    } catch (const CudaError& error) {
      // After an illegal access, say, every call fails until the process ends. Nobody records meanwhile.
      const std::lock_guard held(device_->mutex);
      lost_ = cudaDeviceSynchronize() != cudaSuccess;
      SetError(error.what());
    } catch (const std::exception& error) {
      out_of_range_ = dynamic_cast<const std::out_of_range*>(&error) != nullptr;
      SetError(error.what());
    }
  }
  void OnOK() override { deferred_.Resolve(finish_(Env())); }
  void OnError(const Napi::Error& error) override {
    if (lost_) error.Value().As<Napi::Object>().Set("code", "CUDA_DEVICE_LOST");
    deferred_.Reject(out_of_range_ ? Napi::RangeError::New(Env(), error.Message()).Value() : error.Value());
  }

 private:
  Task(Napi::Env env, std::shared_ptr<Device> device, Work work, Finish finish, DeviceLock lock)
      : Napi::AsyncWorker(env),
        device_(std::move(device)),
        work_(std::move(work)),
        finish_(std::move(finish)),
        deferred_(Napi::Promise::Deferred::New(env)),
        lock_(lock) {}

  std::shared_ptr<Device> device_;
  Work work_;
  Finish finish_;
  Napi::Promise::Deferred deferred_;
  DeviceLock lock_;
  bool lost_ = false;
  bool out_of_range_ = false;
};

}  // namespace latentd::cuda

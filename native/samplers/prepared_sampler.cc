#include "samplers/prepared_sampler.h"

#include <utility>

namespace latentd {

PreparedSampler::PreparedSampler(const Sampler& sampler, Sampling::Setup setup, std::vector<float> x,
                                 std::unique_ptr<NoiseLevels> levels)
    : sampler_(sampler), setup_(std::move(setup)), x_(std::move(x)), levels_(std::move(levels)) {}

Sampling& PreparedSampler::Begin(LatentMemory& memory) {
  sampling_.emplace(memory, std::move(setup_));
  sampling_->x.Write(x_);
  task_.emplace(sampler_.function(*sampling_));
  task_->Resume();
  return *sampling_;
}

void PreparedSampler::End() noexcept {
  task_.reset();
  sampling_.reset();
}

}  // namespace latentd

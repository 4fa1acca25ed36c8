// A normal draw squashed by tanh (Haarnoja et al., 2018, appendix C) as one recorded operation, with its derivative written out.

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <cmath>

#include "guarded.h"

namespace {

using torch::autograd::variable_list;

constexpr float ln2 = 0.69314718f, ln2pi = 1.8378771f;

struct SquashedBack : torch::autograd::Node {
  at::Tensor said, noise, action, mean;
  float low = 0, high = 0;

  variable_list apply(variable_list &&gradients) override {
    c10::NoGradGuard unrecorded;
    TORCH_CHECK(said.defined(), "backward a second time through a squashed normal");
    int64_t rows = noise.size(0), n = noise.size(1);
    at::Tensor out = at::empty_like(said);
    at::Tensor given[3];
    const float *of[3];
    for (int i = 0; i < 3; i++) {
      if (gradients[i].defined()) given[i] = gradients[i].contiguous();
      of[i] = given[i].defined() ? given[i].data_ptr<float>() : nullptr;
    }
    float *o = out.data_ptr<float>();
    const float *s = said.data_ptr<float>(), *z = noise.data_ptr<float>(), *a = action.data_ptr<float>(), *m = mean.data_ptr<float>();
    for (int64_t row = 0; row < rows; row++)
      for (int64_t k = 0; k < n; k++) {
        int64_t at = row * n + k;
        float spread = s[row * 2 * n + n + k], density = of[1] ? of[1][row] : 0;
        // Of the draw before it is squashed: log density has 2 tanh of it for its derivative.
        float raw = (of[0] ? of[0][at] * (1 - a[at] * a[at]) : 0) + density * 2 * a[at];
        o[row * 2 * n + k] = raw + (of[2] ? of[2][at] * (1 - m[at] * m[at]) : 0);
        o[row * 2 * n + n + k] = spread < low || spread > high ? 0 : raw * std::exp(spread) * z[at] - density;
      }
    return {out};
  }

  void release_variables() override {
    for (at::Tensor *tensor : {&said, &noise, &action, &mean}) tensor->reset();
  }
};

}  // namespace

bool enpire_tensor_squashed_normal(const enpire_tensor *said, const enpire_tensor *noise, double low, double high, enpire_tensor **results) {
  return guarded([&] {
    int64_t rows = noise->value.size(0), n = noise->value.size(1);
    TORCH_CHECK(said->value.sizes() == at::IntArrayRef({rows, 2 * n}), "a squashed normal of ", said->value.sizes(), " by noise ", noise->value.sizes());
    bool recorded = c10::GradMode::is_enabled() && said->value.requires_grad();
    variable_list sources = {said->value};
    at::Tensor from, by, out[3];
    {
      c10::NoGradGuard unrecorded;
      from = said->value.detach().contiguous(), by = noise->value.detach().contiguous();
      out[0] = at::empty({rows, n}), out[1] = at::empty({rows, 1}), out[2] = at::empty({rows, n});
      const float *s = from.data_ptr<float>(), *z = by.data_ptr<float>();
      float *action = out[0].data_ptr<float>(), *density = out[1].data_ptr<float>(), *mean = out[2].data_ptr<float>();
      for (int64_t row = 0; row < rows; row++, s += 2 * n) {
        float sum = 0;
        for (int64_t k = 0; k < n; k++, z++, action++, mean++) {
          float spread = std::min(std::max(s[n + k], float(low)), float(high)), raw = s[k] + std::exp(spread) * *z;
          // log (1 - tanh² raw) without overflow.
          float bend = 2 * (ln2 - std::fabs(raw) - std::log1p(std::exp(-2 * std::fabs(raw))));
          sum += -0.5f * *z * *z - spread - 0.5f * ln2pi - bend;
          *action = std::tanh(raw);
          *mean = std::tanh(s[k]);
        }
        density[row] = sum;
      }
    }
    if (recorded) {
      auto back = std::shared_ptr<SquashedBack>(new SquashedBack(), torch::autograd::deleteNode);
      back->set_next_edges(torch::autograd::collect_next_edges(sources));
      back->said = from, back->noise = by, back->action = out[0].detach(), back->mean = out[2].detach();
      back->low = float(low), back->high = float(high);
      for (at::Tensor &tensor : out) torch::autograd::create_gradient_edge(tensor, back);
    }
    for (int i = 0; i < 3; i++) results[i] = wrap(out[i]);
    return true;
  });
}

// A whole perceptron as one recorded operation, with its derivative written out: libtorch does the matrix products, everything between them
// (layer norm, activation, sums of gradients) is one pass over rows. Forward it gives what the single operations give.

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "guarded.h"

namespace {

using torch::autograd::variable_list;

constexpr float epsilon = 1e-5f;
/// Partial sums of a row, so that the order of additions is the same whatever the processor's vectors are.
constexpr int lanes = 64;
/// A few rows go through all the loops before the next ones do, while they are near the processor.
constexpr int64_t rowsAtOnce = 16;

ENPIRE_WIDE float total(const float *__restrict x, int64_t n) {
  float part[lanes] = {};
  int64_t k = 0;
  for (; k + lanes <= n; k += lanes)
    for (int lane = 0; lane < lanes; lane++) part[lane] += x[k + lane];
  for (; k < n; k++) part[k % lanes] += x[k];
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) part[lane] += part[lane + half];
  return part[0];
}

ENPIRE_WIDE float product(const float *__restrict x, const float *__restrict y, int64_t n) {
  float part[lanes] = {};
  int64_t k = 0;
  for (; k + lanes <= n; k += lanes)
    for (int lane = 0; lane < lanes; lane++) part[lane] += x[k + lane] * y[k + lane];
  for (; k < n; k++) part[k % lanes] += x[k] * y[k];
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) part[lane] += part[lane + half];
  return part[0];
}

/// Rows to mean 0 and variance 1, in place; `scale` gets what each was multiplied by.
ENPIRE_WIDE void normalise(float *h, float *__restrict scale, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; row++, h += n) {
    float *__restrict x = h;
    float mean = total(x, n) / n;
    for (int64_t k = 0; k < n; k++) x[k] -= mean;
    float factor = 1 / std::sqrt(product(x, x, n) / n + epsilon);
    for (int64_t k = 0; k < n; k++) x[k] *= factor;
    scale[row] = factor;
  }
}

/// The gradient of rows before they were normalised to `normal`, in place.
ENPIRE_WIDE void normaliseBack(float *gradient, const float *normal, const float *__restrict scale, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; row++, gradient += n, normal += n) {
    float *__restrict g = gradient;
    const float *__restrict x = normal;
    float mean = total(g, n) / n, slope = product(g, x, n) / n, factor = scale[row];
    for (int64_t k = 0; k < n; k++) g[k] = factor * (g[k] - mean - x[k] * slope);
  }
}

ENPIRE_WIDE void rectify(float *out, const float *x, int64_t count) {
  for (int64_t k = 0; k < count; k++) out[k] = x[k] > 0 ? x[k] : 0;
}

ENPIRE_WIDE void rectifyBack(float *__restrict gradient, const float *__restrict x, int64_t count) {
  for (int64_t k = 0; k < count; k++) gradient[k] = x[k] > 0 ? gradient[k] : 0;
}

ENPIRE_WIDE void addRows(float *__restrict out, const float *gradient, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; row++, gradient += n) {
    const float *__restrict g = gradient;
    for (int64_t k = 0; k < n; k++) out[k] += g[k];
  }
}

ENPIRE_WIDE void addBias(float *h, const float *__restrict bias, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; row++, h += n) {
    float *__restrict x = h;
    for (int64_t k = 0; k < n; k++) x[k] += bias[k];
  }
}

// A product with few columns, as a last layer's: a library packs both factors first, which takes longer than this does.
// `w` is the weight's transpose here, [n, width].
constexpr int64_t fewColumns = 8;

ENPIRE_WIDE void thin(float *out, const float *x, const float *w, const float *bias, int64_t rows, int64_t width, int64_t n) {
  for (int64_t row = 0; row < rows; row++, x += width)
    for (int64_t k = 0; k < n; k++) *out++ = product(x, w + k * width, width) + bias[k];
}

ENPIRE_WIDE void thinBack(float *out, const float *gradient, const float *w, int64_t rows, int64_t width, int64_t n) {
  for (int64_t row = 0; row < rows; row++, out += width, gradient += n) {
    float *__restrict o = out;
    for (int64_t i = 0; i < width; i++) o[i] = gradient[0] * w[i];
    for (int64_t k = 1; k < n; k++) {
      const float *__restrict from = w + k * width;
      for (int64_t i = 0; i < width; i++) o[i] += gradient[k] * from[i];
    }
  }
}

/// Adds to the gradient of `w`.
ENPIRE_WIDE void thinBackWeight(float *w, const float *x, const float *gradient, int64_t rows, int64_t width, int64_t n) {
  for (int64_t row = 0; row < rows; row++, x += width, gradient += n)
    for (int64_t k = 0; k < n; k++) {
      float *__restrict to = w + k * width;
      const float *__restrict from = x;
      for (int64_t i = 0; i < width; i++) to[i] += gradient[k] * from[i];
    }
}

/// What one layer leaves behind for its derivative.
struct Layer {
  at::Tensor input, weight;
  /// Before the activation, normalised if there is layer norm; undefined for the last layer.
  at::Tensor before;
  at::Tensor scale;
};

/// x · w, or member by member.
at::Tensor times(const at::Tensor &x, const at::Tensor &w) { return w.dim() == 2 ? at::mm(x, w) : at::bmm(x, w); }

struct Back : torch::autograd::Node {
  std::vector<Layer> layers;
  enpire_unary activation;
  bool layerNorm = false;
  /// Whether one input was shown to all members of an ensemble.
  bool shared = false;

  variable_list apply(variable_list &&gradients) override {
    c10::NoGradGuard unrecorded;
    variable_list out(1 + 2 * layers.size());
    TORCH_CHECK(!layers.empty(), "backward a second time through a perceptron");
    if (!gradients[0].defined()) return out;
    at::Tensor gradient = gradients[0].contiguous();
    for (int index = int(layers.size()) - 1; index >= 0; index--) {
      Layer &layer = layers[index];
      int64_t members = layer.weight.dim() == 3 ? layer.weight.size(0) : 1;
      int64_t width = layer.weight.size(-1), rows = gradient.numel() / width;
      if (layer.before.defined()) {
        if (activation == enpire_silu) gradient = at::silu_backward(gradient, layer.before);
        if (activation == enpire_tanh) gradient = at::tanh_backward(gradient, at::tanh(layer.before));
        for (int64_t row = 0, some; row < rows; row += some) {
          some = std::min(rowsAtOnce, rows - row);
          float *here = gradient.data_ptr<float>() + row * width;
          const float *before = layer.before.data_ptr<float>() + row * width;
          if (activation == enpire_relu) rectifyBack(here, before, some * width);
          if (layerNorm) normaliseBack(here, before, layer.scale.data_ptr<float>() + row, some, width);
        }
      }
      bool isThin = width <= fewColumns;
      int64_t inputs = layer.weight.size(-2), share = rows / members;
      if (task_should_compute_output(1 + 2 * index)) {
        if (isThin) {
          at::Tensor w = at::zeros_like(layer.weight.transpose(-2, -1), at::MemoryFormat::Contiguous), x = layer.input.contiguous();
          for (int64_t member = 0; member < members; member++)
            thinBackWeight(w.data_ptr<float>() + member * inputs * width, x.data_ptr<float>() + member * share * inputs,
                           gradient.data_ptr<float>() + member * share * width, share, inputs, width);
          out[1 + 2 * index] = w.transpose(-2, -1).contiguous();
        } else {
          out[1 + 2 * index] = times(layer.input.transpose(-2, -1), gradient);
        }
      }
      if (task_should_compute_output(2 + 2 * index)) {
        at::Tensor bias = members == 1 ? at::zeros({width}) : at::zeros({members, 1, width});
        for (int64_t member = 0; member < members; member++)
          addRows(bias.data_ptr<float>() + member * width, gradient.data_ptr<float>() + member * share * width, share, width);
        out[2 + 2 * index] = bias;
      }
      if (index == 0 && !task_should_compute_output(0)) continue;
      if (isThin) {
        at::Tensor w = layer.weight.transpose(-2, -1).contiguous(), before = at::empty_like(layer.input, at::MemoryFormat::Contiguous);
        for (int64_t member = 0; member < members; member++)
          thinBack(before.data_ptr<float>() + member * share * inputs, gradient.data_ptr<float>() + member * share * width,
                   w.data_ptr<float>() + member * inputs * width, share, inputs, width);
        gradient = before;
      } else {
        gradient = times(gradient, layer.weight.transpose(-2, -1));
      }
    }
    if (task_should_compute_output(0)) out[0] = shared ? gradient.sum(0) : gradient;
    return out;
  }

  void release_variables() override { layers.clear(); }
};

}  // namespace

enpire_tensor *enpire_tensor_perceptron(
    const enpire_tensor *input, enpire_tensor *const *parameters, int count, enpire_unary activation, bool layerNorm) {
  return guarded([&] {
    TORCH_CHECK(count >= 2 && count % 2 == 0, "a perceptron of ", count, " parameters");
    variable_list sources = {input->value};
    for (int i = 0; i < count; i++) sources.push_back(parameters[i]->value);
    bool recorded = c10::GradMode::is_enabled() && torch::autograd::any_variable_requires_grad(sources);
    std::shared_ptr<Back> back;
    if (recorded) {
      back = std::shared_ptr<Back>(new Back(), torch::autograd::deleteNode);
      back->activation = activation;
      back->layerNorm = layerNorm;
      back->set_next_edges(torch::autograd::collect_next_edges(sources));
    }
    c10::NoGradGuard unrecorded;
    at::Tensor x = input->value.contiguous();
    bool ensemble = sources[1].dim() == 3, shared = ensemble && x.dim() == 2;
    if (shared) x = x.unsqueeze(0).expand({sources[1].size(0), x.size(0), x.size(1)});
    for (int i = 0; i < count; i += 2) {
      at::Tensor weight = sources[1 + i].detach(), bias = sources[2 + i].contiguous();
      int64_t members = ensemble ? weight.size(0) : 1, inputs = weight.size(-2), width = weight.size(-1), share = x.size(-2), rows = members * share;
      TORCH_CHECK(x.size(-1) == inputs, "a layer of ", inputs, " inputs is shown ", x.size(-1));
      bool isThin = width <= fewColumns, isLast = i + 2 == count;
      at::Tensor h, columns;
      if (isThin) {
        x = x.contiguous();
        columns = weight.transpose(-2, -1).contiguous();
        h = ensemble ? at::empty({members, share, width}) : at::empty({share, width});
      } else {
        h = times(x, weight);
      }
      Layer layer{x.detach(), weight};
      at::Tensor shown = x;
      if (!isLast && layerNorm) layer.scale = at::empty({rows});
      if (!isLast && activation == enpire_relu) x = recorded ? at::empty_like(h) : h;
      for (int64_t row = 0, some; row < rows; row += some) {
        int64_t member = row / share;
        some = std::min(rowsAtOnce, (member + 1) * share - row);
        float *here = h.data_ptr<float>() + row * width;
        const float *b = bias.data_ptr<float>() + member * width;
        if (isThin)
          thin(here, shown.data_ptr<float>() + row * inputs, columns.data_ptr<float>() + member * inputs * width, b, some, inputs, width);
        else
          addBias(here, b, some, width);
        if (isLast) continue;
        if (layerNorm) normalise(here, layer.scale.data_ptr<float>() + row, some, width);
        if (activation == enpire_relu) rectify(x.data_ptr<float>() + row * width, here, some * width);
      }
      if (!isLast) {
        layer.before = h;
        switch (activation) {
          case enpire_relu: break;
          case enpire_silu: x = at::silu(h); break;
          case enpire_tanh: x = at::tanh(h); break;
          default: TORCH_CHECK(false, "no activation of a perceptron");
        }
      } else {
        x = h;
      }
      if (recorded) back->layers.push_back(std::move(layer));
    }
    if (recorded) {
      back->shared = shared;
      torch::autograd::create_gradient_edge(x, back);
    }
    return wrap(x);
  });
}

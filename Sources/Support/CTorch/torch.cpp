// libtorch behind C. Every entry point is noexcept through `guarded`, which turns an exception into a message.

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "guarded.h"

thread_local std::string enpire_torch_message;

namespace {

std::vector<at::Tensor> values(const enpire_tensor *const *tensors, int count) {
  std::vector<at::Tensor> out;
  out.reserve(count);
  for (int i = 0; i < count; i++) out.push_back(tensors[i]->value);
  return out;
}

constexpr float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;

struct Stride {
  /// Of gradients; of the step; of the root of the second moment; what is kept of a parameter.
  float scale, length, spread, keep;
};

ENPIRE_WIDE void adam(float *__restrict p, const float *__restrict g, float *__restrict m, float *__restrict v, int64_t size, Stride stride) {
  for (int64_t k = 0; k < size; k++) {
    float slope = g[k] * stride.scale;
    m[k] = beta1 * m[k] + (1 - beta1) * slope;
    v[k] = beta2 * v[k] + (1 - beta2) * slope * slope;
    p[k] = stride.keep * p[k] - stride.length * m[k] / (std::sqrt(v[k]) * stride.spread + epsilon);
  }
}

ENPIRE_WIDE void blend(float *__restrict target, const float *__restrict source, int64_t size, float share) {
  for (int64_t k = 0; k < size; k++) target[k] += share * (source[k] - target[k]);
}

ENPIRE_WIDE void addRowProduct(float *__restrict sums, const float *row, const float *__restrict matrix, int64_t inputs, int64_t outputs) {
  for (int64_t i = 0; i < inputs; i++, matrix += outputs) {
    float factor = row[i];
    if (factor == 0) continue;
    for (int64_t k = 0; k < outputs; k++) sums[k] += factor * matrix[k];
  }
}

}  // namespace

void enpire_add_row_product(float *sums, const float *row, const float *matrix, int64_t inputs, int64_t outputs) {
  addRowProduct(sums, row, matrix, inputs, outputs);
}

const char *enpire_torch_error(void) { return enpire_torch_message.c_str(); }

void enpire_torch_set_threads(int count) {
  guarded([&] {
    at::set_num_threads(count);
    // Activations of some 100 KiB come and go with every operation: keep their pages instead of returning them to the kernel each time.
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    // OpenBLAS keeps a pool of its own, which libtorch does not know.
    if (auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(count);
    return true;
  });
}

bool enpire_torch_set_recording(bool on) {
  bool was = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(on);
  return was;
}

enpire_tensor *enpire_tensor_new(const float *source, const int64_t *shape, int rank) {
  return guarded([&] {
    at::Tensor tensor = source ? at::empty(at::IntArrayRef(shape, rank), at::kFloat) : at::zeros(at::IntArrayRef(shape, rank), at::kFloat);
    if (source) std::memcpy(tensor.data_ptr<float>(), source, tensor.numel() * sizeof(float));
    return wrap(tensor);
  });
}

void enpire_tensor_free(enpire_tensor *tensor) { delete tensor; }
int enpire_tensor_rank(const enpire_tensor *tensor) { return int(tensor->value.dim()); }
int64_t enpire_tensor_size(const enpire_tensor *tensor, int dimension) { return tensor->value.sizes()[dimension]; }

bool enpire_tensor_read(const enpire_tensor *tensor, float *out, int64_t count) {
  return guarded([&] {
    TORCH_CHECK(tensor->value.numel() == count, "read of ", count, " values from a tensor of ", tensor->value.numel());
    at::Tensor whole = tensor->value.detach().contiguous();
    std::memcpy(out, whole.data_ptr<float>(), count * sizeof(float));
    return true;
  });
}

bool enpire_tensor_write(enpire_tensor *tensor, const float *source, int64_t count) {
  return guarded([&] {
    TORCH_CHECK(tensor->value.numel() == count, "write of ", count, " values to a tensor of ", tensor->value.numel());
    TORCH_CHECK(tensor->value.is_contiguous(), "write to a tensor that is a view");
    std::memcpy(tensor->value.data_ptr<float>(), source, count * sizeof(float));
    return true;
  });
}

enpire_tensor *enpire_tensor_unary(const enpire_tensor *x, enpire_unary operation) {
  return guarded([&]() -> enpire_tensor * {
    switch (operation) {
      case enpire_relu: return wrap(at::relu(x->value));
      case enpire_silu: return wrap(at::silu(x->value));
      case enpire_tanh: return wrap(at::tanh(x->value));
      case enpire_exp: return wrap(at::exp(x->value));
      case enpire_log: return wrap(at::log(x->value));
      case enpire_square: return wrap(x->value * x->value);
      case enpire_abs: return wrap(at::abs(x->value));
      case enpire_detach: return wrap(x->value.detach());
    }
    return nullptr;
  });
}

enpire_tensor *enpire_tensor_binary(const enpire_tensor *a, const enpire_tensor *b, enpire_binary operation) {
  return guarded([&]() -> enpire_tensor * {
    switch (operation) {
      case enpire_add: return wrap(a->value + b->value);
      case enpire_subtract: return wrap(a->value - b->value);
      case enpire_multiply: return wrap(a->value * b->value);
      case enpire_divide: return wrap(a->value / b->value);
      case enpire_minimum: return wrap(at::minimum(a->value, b->value));
    }
    return nullptr;
  });
}

enpire_tensor *enpire_tensor_affine(const enpire_tensor *x, double factor, double offset) {
  return guarded([&] {
    at::Tensor scaled = factor == 1 ? x->value : x->value * factor;
    return wrap(offset == 0 ? scaled : scaled + offset);
  });
}

enpire_tensor *enpire_tensor_clamp(const enpire_tensor *x, double low, double high) {
  return guarded([&] { return wrap(at::clamp(x->value, low, high)); });
}

enpire_tensor *enpire_tensor_reduce(const enpire_tensor *x, enpire_reduction operation, int dimension) {
  return guarded([&]() -> enpire_tensor * {
    bool all = dimension < 0;
    switch (operation) {
      case enpire_mean: return wrap(all ? x->value.mean() : x->value.mean(dimension));
      case enpire_sum: return wrap(all ? x->value.sum() : x->value.sum(dimension));
      case enpire_least: return wrap(all ? x->value.min() : x->value.amin(dimension));
    }
    return nullptr;
  });
}

enpire_tensor *enpire_tensor_linear(const enpire_tensor *x, const enpire_tensor *w, const enpire_tensor *b) {
  return guarded([&] {
    return wrap(w->value.dim() == 2 ? at::addmm(b->value, x->value, w->value) : at::baddbmm(b->value, x->value, w->value));
  });
}

enpire_tensor *enpire_tensor_layer_norm(const enpire_tensor *x) {
  return guarded([&] { return wrap(at::layer_norm(x->value, {x->value.size(-1)})); });
}

enpire_tensor *enpire_tensor_cat(const enpire_tensor *const *tensors, int count, int dimension) {
  return guarded([&] { return wrap(at::cat(values(tensors, count), dimension)); });
}

enpire_tensor *enpire_tensor_slice(const enpire_tensor *x, int dimension, int64_t start, int64_t end) {
  return guarded([&] {
    TORCH_CHECK(0 <= start && start <= end && end <= x->value.size(dimension), "slice ", start, "..<", end, " of ", x->value.size(dimension));
    return wrap(x->value.slice(dimension, start, end));
  });
}

enpire_tensor *enpire_tensor_repeat(const enpire_tensor *x, int64_t count) {
  return guarded([&] {
    std::vector<int64_t> shape = x->value.sizes().vec();
    shape.insert(shape.begin(), count);
    return wrap(x->value.unsqueeze(0).expand(shape));
  });
}

enpire_tensor *enpire_tensor_reshape(const enpire_tensor *x, const int64_t *shape, int rank) {
  return guarded([&] { return wrap(x->value.reshape(at::IntArrayRef(shape, rank))); });
}

enpire_tensor *enpire_tensor_mse(const enpire_tensor *a, const enpire_tensor *b) {
  return guarded([&] {
    TORCH_CHECK(a->value.sizes() == b->value.sizes(), "mean squared error of shapes ", a->value.sizes(), " and ", b->value.sizes());
    return wrap(at::mse_loss(a->value, b->value));
  });
}

bool enpire_tensor_require_grad(enpire_tensor *x) {
  return guarded([&] {
    x->value.requires_grad_(true);
    return true;
  });
}

bool enpire_tensor_backward(const enpire_tensor *x) {
  return guarded([&] {
    x->value.backward();
    return true;
  });
}

enpire_tensor *enpire_tensor_grad(const enpire_tensor *x) {
  return guarded([&]() -> enpire_tensor * { return x->value.grad().defined() ? wrap(x->value.grad()) : nullptr; });
}

void enpire_tensor_clear_grads(enpire_tensor *const *tensors, int count) {
  for (int i = 0; i < count; i++) tensors[i]->value.mutable_grad().reset();
}

bool enpire_torch_adam(enpire_tensor *const *parameters, enpire_tensor *const *first, enpire_tensor *const *second, int count,
                       int64_t step, double rate, double decay, double clip, double *norm) {
  return guarded([&] {
    std::vector<at::Tensor> gradients(count);
    double squares = 0;
    for (int i = 0; i < count; i++) {
      at::Tensor &gradient = parameters[i]->value.mutable_grad();
      if (!gradient.defined()) continue;
      gradients[i] = gradient.contiguous();
      gradient.reset();
      at::Tensor flat = gradients[i].view({-1});
      squares += at::dot(flat, flat).item<double>();
    }
    *norm = std::sqrt(squares);
    if (!std::isfinite(squares)) return true;
    float scale = clip > 0 && *norm > clip ? float(clip / *norm) : 1.0f;
    float length = float(rate / (1 - std::pow(double(beta1), double(step))));
    float spread = float(1 / std::sqrt(1 - std::pow(double(beta2), double(step))));
    for (int i = 0; i < count; i++) {
      if (!gradients[i].defined()) continue;
      adam(
          parameters[i]->value.data_ptr<float>(), gradients[i].data_ptr<float>(), first[i]->value.data_ptr<float>(),
          second[i]->value.data_ptr<float>(), gradients[i].numel(), {scale, length, spread, float(1 - rate * decay)});
    }
    return true;
  });
}

bool enpire_torch_blend(enpire_tensor *const *targets, enpire_tensor *const *sources, int count, double amount) {
  return guarded([&] {
    for (int i = 0; i < count; i++) {
      TORCH_CHECK(targets[i]->value.sizes() == sources[i]->value.sizes(), "blend of different shapes");
      blend(targets[i]->value.data_ptr<float>(), sources[i]->value.data_ptr<float>(), targets[i]->value.numel(), float(amount));
    }
    return true;
  });
}

// What the learners need of libtorch, as C: float32 tensors on the CPU, automatic differentiation, one fused Adam step.
// It knows no network and no algorithm, and draws no random numbers. Every function that can fail returns NULL (or false);
// the reason is then in enpire_torch_error(), per thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct enpire_tensor enpire_tensor;

const char *enpire_torch_error(void);
/// Threads of libtorch's and OpenBLAS's own pools.
void enpire_torch_set_threads(int count);
/// Whether operations on this thread are recorded for backward(); returns what it was.
bool enpire_torch_set_recording(bool on);

/// A new tensor with a copy of the values; all zeros for NULL.
enpire_tensor *enpire_tensor_new(const float *values, const int64_t *shape, int rank);
void enpire_tensor_free(enpire_tensor *);
int enpire_tensor_rank(const enpire_tensor *);
int64_t enpire_tensor_size(const enpire_tensor *, int dimension);
/// Copies all values out; `count` must be their number.
bool enpire_tensor_read(const enpire_tensor *, float *values, int64_t count);
/// Overwrites all values, unrecorded.
bool enpire_tensor_write(enpire_tensor *, const float *values, int64_t count);

typedef enum {
  enpire_relu, enpire_silu, enpire_tanh, enpire_exp, enpire_log, enpire_square, enpire_abs, enpire_detach
} enpire_unary;
typedef enum { enpire_add, enpire_subtract, enpire_multiply, enpire_divide, enpire_minimum } enpire_binary;
typedef enum { enpire_mean, enpire_sum, enpire_least } enpire_reduction;

enpire_tensor *enpire_tensor_unary(const enpire_tensor *, enpire_unary);
/// Shapes broadcast as in NumPy.
enpire_tensor *enpire_tensor_binary(const enpire_tensor *, const enpire_tensor *, enpire_binary);
/// x * factor + offset.
enpire_tensor *enpire_tensor_affine(const enpire_tensor *, double factor, double offset);
enpire_tensor *enpire_tensor_clamp(const enpire_tensor *, double low, double high);
/// Over one dimension, or over all for dimension < 0 (then a scalar).
enpire_tensor *enpire_tensor_reduce(const enpire_tensor *, enpire_reduction, int dimension);
/// x [B, I] · w [I, O] + b [O], or member by member x [E, B, I] · w [E, I, O] + b [E, 1, O].
enpire_tensor *enpire_tensor_linear(const enpire_tensor *x, const enpire_tensor *w, const enpire_tensor *b);
/// Mean 0, variance 1 over the last dimension; no gain, no offset.
enpire_tensor *enpire_tensor_layer_norm(const enpire_tensor *);
/// A whole perceptron: for each pair of `parameters` (w, b as above) linear, then, but for the last, layer norm if asked for, and the activation
/// (relu, silu or tanh). An ensemble takes x [B, I] for all members or [E, B, I].
enpire_tensor *enpire_tensor_perceptron(
    const enpire_tensor *x, enpire_tensor *const *parameters, int count, enpire_unary activation, bool layer_norm);
/// A draw from a normal, squashed by tanh. Of `said` [B, 2 n], the means and the logarithms of the spreads, these clamped to low…high, and `noise`
/// [B, n], three results: the action [B, n], the logarithm of its density [B, 1], and the mean, squashed, [B, n].
bool enpire_tensor_squashed_normal(const enpire_tensor *said, const enpire_tensor *noise, double low, double high, enpire_tensor **results);
enpire_tensor *enpire_tensor_cat(const enpire_tensor *const *, int count, int dimension);
enpire_tensor *enpire_tensor_slice(const enpire_tensor *, int dimension, int64_t start, int64_t end);
/// `count` views of the same values along a new first dimension.
enpire_tensor *enpire_tensor_repeat(const enpire_tensor *, int64_t count);
enpire_tensor *enpire_tensor_reshape(const enpire_tensor *, const int64_t *shape, int rank);
enpire_tensor *enpire_tensor_mse(const enpire_tensor *, const enpire_tensor *);

bool enpire_tensor_require_grad(enpire_tensor *);
/// The gradient of this scalar is added to every tensor that requires one.
bool enpire_tensor_backward(const enpire_tensor *);
/// NULL without an error if there is none.
enpire_tensor *enpire_tensor_grad(const enpire_tensor *);
void enpire_tensor_clear_grads(enpire_tensor *const *, int count);

/// sums [outputs] += row [inputs] · matrix [inputs, outputs], input by input; those that are 0 are passed over.
void enpire_add_row_product(float *sums, const float *row, const float *matrix, int64_t inputs, int64_t outputs);

/// One step of Adam with decoupled weight decay (Loshchilov and Hutter, 2019; beta 0.9, 0.999, epsilon 1e-8) over `count` parameters,
/// whose gradients are scaled to the norm `clip` if that is positive and exceeded, then cleared. `step` counts from 1.
/// The norm before scaling goes to `norm`; if it is not finite nothing is changed.
bool enpire_torch_adam(enpire_tensor *const *parameters, enpire_tensor *const *first, enpire_tensor *const *second, int count,
                       int64_t step, double rate, double decay, double clip, double *norm);
/// target += amount * (source - target), in place.
bool enpire_torch_blend(enpire_tensor *const *targets, enpire_tensor *const *sources, int count, double amount);

#ifdef __cplusplus
}
#endif

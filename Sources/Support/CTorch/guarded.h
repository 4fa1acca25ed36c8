// What the C++ files here share: the tensor behind the C handle, the way from exceptions to messages, and loops for the processor's vectors.
#pragma once
#include <ATen/ATen.h>

#include <string>

#include "CTorch.h"

struct enpire_tensor {
  at::Tensor value;
};

/// What failed last, per thread.
extern thread_local std::string enpire_torch_message;

template <class Body>
auto guarded(Body body) noexcept -> decltype(body()) {
  try {
    return body();
  } catch (const c10::Error &error) {
    enpire_torch_message = error.what_without_backtrace();
  } catch (const std::exception &error) {
    enpire_torch_message = error.what();
  } catch (...) {
    enpire_torch_message = "libtorch failed";
  }
  return {};
}

inline enpire_tensor *wrap(at::Tensor value) { return new enpire_tensor{std::move(value)}; }

/// A loop compiled for wider vectors too, chosen when the program starts. Products and sums are not fused, so the bits are the same.
#if defined(__x86_64__)
#define ENPIRE_WIDE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define ENPIRE_WIDE
#endif

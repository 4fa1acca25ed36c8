// Placeholder of Tensor.

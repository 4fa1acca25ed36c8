// Placeholder of Physics.

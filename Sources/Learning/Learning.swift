// Placeholder of Learning.

// Placeholder of Git.

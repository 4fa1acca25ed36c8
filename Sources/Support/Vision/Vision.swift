// Placeholder of Vision.

// Placeholder of HTTP.

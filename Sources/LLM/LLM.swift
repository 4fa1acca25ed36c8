// Placeholder of LLM.

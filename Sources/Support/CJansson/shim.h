#pragma once
#include <jansson.h>

// Macros and inline functions over a struct's field, which Swift does not import.
static inline json_type enpire_json_typeof(const json_t *value) { return json_typeof(value); }
static inline void enpire_json_decref(json_t *value) { json_decref(value); }

#pragma once
#include <curl/curl.h>

// Swift cannot call variadic functions: one typed setter and getter for each kind of option used.
static inline CURLcode enpire_curl_set_long(CURL *curl, CURLoption option, long value) { return curl_easy_setopt(curl, option, value); }
static inline CURLcode enpire_curl_set_string(CURL *curl, CURLoption option, const char *value) { return curl_easy_setopt(curl, option, value); }
static inline CURLcode enpire_curl_set_pointer(CURL *curl, CURLoption option, const void *value) { return curl_easy_setopt(curl, option, value); }
static inline CURLcode enpire_curl_set_size(CURL *curl, CURLoption option, curl_off_t value) { return curl_easy_setopt(curl, option, value); }

typedef size_t (*enpire_curl_sink)(char *bytes, size_t size, size_t count, void *to);
static inline CURLcode enpire_curl_set_sink(CURL *curl, CURLoption option, enpire_curl_sink sink) { return curl_easy_setopt(curl, option, sink); }

static inline long enpire_curl_status(CURL *curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// Runs a body that may throw and turns what it throws into a sentence: the one place where C++ exceptions end.
#pragma once
#include <cstdio>
#include <exception>
#include <opencv2/core.hpp>

#include "CVision.h"

template <class Body> bool guarded(char *message, Body body) noexcept {
  try {
    body();
    return true;
  } catch (const cv::Exception &error) {
    std::snprintf(message, vision_message_size, "%s", error.err.c_str());
  } catch (const std::exception &error) {
    std::snprintf(message, vision_message_size, "%s", error.what());
  } catch (...) {
    std::snprintf(message, vision_message_size, "unknown failure");
  }
  return false;
}

/// The caller's pixels as a matrix; nothing is copied.
inline cv::Mat view(vision_image image) { return cv::Mat(image.height, image.width, CV_8UC(image.channels), image.pixels); }

// Still pictures: PNG, resizing, drawing. One thread, so that nothing depends on the machine's count of cores.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <vector>

#include "guarded.hpp"

static const bool oneThread = (cv::setNumThreads(1), true);

static cv::Scalar scalar(vision_colour colour) { return cv::Scalar(colour.red, colour.green, colour.blue); }

/// Sub-pixel bits of smooth drawing.
static constexpr int shift = 4;

static cv::Point point(double x, double y, bool smooth) {
  double scale = smooth ? 1 << shift : 1;
  return cv::Point(static_cast<int>(std::nearbyint(x * scale)), static_cast<int>(std::nearbyint(y * scale)));
}

static uint8_t *allocate(size_t count) {
  auto *bytes = static_cast<uint8_t *>(std::malloc(count));
  if (!bytes) throw std::bad_alloc();
  return bytes;
}

bool vision_png_encode(vision_image image, uint8_t **bytes, size_t *count, char *message) noexcept {
  return guarded(message, [&] {
    cv::Mat picture;
    // Into a matrix of its own: in place would swap the caller's colours.
    if (image.channels == 3) cv::cvtColor(view(image), picture, cv::COLOR_RGB2BGR);
    else picture = view(image);
    std::vector<uchar> encoded;
    if (!cv::imencode(".png", picture, encoded)) throw std::runtime_error("the picture cannot be encoded");
    *bytes = allocate(encoded.size());
    std::memcpy(*bytes, encoded.data(), encoded.size());
    *count = encoded.size();
  });
}

bool vision_png_decode(const uint8_t *bytes, size_t count, vision_image *image, char *message) noexcept {
  return guarded(message, [&] {
    cv::Mat raw(1, static_cast<int>(count), CV_8UC1, const_cast<uint8_t *>(bytes));
    cv::Mat picture = count == 0 ? cv::Mat() : cv::imdecode(raw, cv::IMREAD_ANYCOLOR);
    if (picture.empty()) throw std::runtime_error("is not a picture that can be read");
    if (picture.channels() == 3) cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
    size_t size = picture.total() * picture.elemSize();
    *image = {allocate(size), picture.cols, picture.rows, picture.channels()};
    std::memcpy(image->pixels, picture.data, size);
  });
}

bool vision_resize(vision_image from, vision_image to, bool smooth, char *message) noexcept {
  return guarded(message, [&] {
    cv::Mat target = view(to);
    cv::resize(view(from), target, target.size(), 0, 0, smooth ? cv::INTER_LINEAR : cv::INTER_AREA);
  });
}

bool vision_fill_polygon(vision_image image, const double *xy, int count, vision_colour colour, bool smooth, char *message) noexcept {
  return guarded(message, [&] {
    std::vector<cv::Point> points;
    for (int i = 0; i < count; i++) points.push_back(point(xy[2 * i], xy[2 * i + 1], smooth));
    cv::fillPoly(view(image), std::vector<std::vector<cv::Point>>{points}, scalar(colour), smooth ? cv::LINE_AA : cv::LINE_8, smooth ? shift : 0);
  });
}

bool vision_fill_circle(vision_image image, double x, double y, double radius, vision_colour colour, bool smooth, char *message) noexcept {
  return guarded(message, [&] {
    int r = static_cast<int>(std::nearbyint(radius * (smooth ? 1 << shift : 1)));
    cv::circle(view(image), point(x, y, smooth), r, scalar(colour), cv::FILLED, smooth ? cv::LINE_AA : cv::LINE_8, smooth ? shift : 0);
  });
}

bool vision_line(
  vision_image image, const double from[2], const double to[2], int thickness, vision_colour colour, bool smooth, char *message) noexcept {
  return guarded(message, [&] {
    cv::line(
      view(image), point(from[0], from[1], smooth), point(to[0], to[1], smooth), scalar(colour), thickness, smooth ? cv::LINE_AA : cv::LINE_8,
      smooth ? shift : 0);
  });
}

bool vision_text(vision_image image, const char *text, double x, double y, double scale, vision_colour colour, char *message) noexcept {
  return guarded(message, [&] {
    cv::putText(view(image), text, point(x, y, false), cv::FONT_HERSHEY_SIMPLEX, scale, scalar(colour), 1, cv::LINE_AA);
  });
}

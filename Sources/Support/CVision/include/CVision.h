// What Swift uses of OpenCV, as C. Pixels are 8-bit, rows from the top without padding, three channels in the order R, G, B or one.
// Every function returns false on failure and then writes a sentence to `message` (vision_message_size bytes).
// No C++ exception leaves this interface.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define VISION_NOEXCEPT noexcept
#else
#define VISION_NOEXCEPT
#endif

enum { vision_message_size = 256 };

typedef struct {
  uint8_t *pixels;
  int width, height, channels;
} vision_image;

typedef struct {
  uint8_t red, green, blue;
} vision_colour;

// Encoding. The result is allocated with malloc.
bool vision_png_encode(vision_image image, uint8_t **bytes, size_t *count, char *message) VISION_NOEXCEPT;
bool vision_png_decode(const uint8_t *bytes, size_t count, vision_image *image, char *message) VISION_NOEXCEPT;

// `smooth`: bilinear samples, as cv2.resize does by default; otherwise the mean over each pixel's area.
bool vision_resize(vision_image from, vision_image to, bool smooth, char *message) VISION_NOEXCEPT;

// Drawing in place. Coordinates are pixels whose centres are whole numbers; kept to 1/16 if `smooth`, else rounded.
bool vision_fill_polygon(vision_image image, const double *xy, int count, vision_colour colour, bool smooth, char *message) VISION_NOEXCEPT;
bool vision_fill_circle(vision_image image, double x, double y, double radius, vision_colour colour, bool smooth, char *message) VISION_NOEXCEPT;
bool vision_line(vision_image image, const double from[2], const double to[2], int thickness, vision_colour colour, bool smooth, char *message)
  VISION_NOEXCEPT;
// (x, y): the left end of the base line. `scale` 1 is about 22 pixels high.
bool vision_text(vision_image image, const char *text, double x, double y, double scale, vision_colour colour, char *message) VISION_NOEXCEPT;

// Video in.
typedef struct vision_reader vision_reader;
typedef struct {
  int width, height;
  double fps;
  // What the container says; zero or less if it does not.
  long frames;
  // Whether the stream is H.264.
  bool h264;
} vision_video_info;
bool vision_reader_open(const char *path, vision_reader **reader, vision_video_info *info, char *message) VISION_NOEXCEPT;
// Sets *ended at the end of what can be decoded; otherwise fills `image` (width × height × 3) and sets *seconds to when it is shown.
bool vision_reader_next(vision_reader *reader, vision_image image, double *seconds, bool *ended, char *message) VISION_NOEXCEPT;
void vision_reader_close(vision_reader *reader) VISION_NOEXCEPT;

// Video out: H.264 in MP4, one encoder thread, so that the same frames give the same bytes on every machine.
typedef struct vision_writer vision_writer;
bool vision_writer_open(const char *path, double fps, int width, int height, vision_writer **writer, char *message) VISION_NOEXCEPT;
bool vision_writer_add(vision_writer *writer, vision_image image, char *message) VISION_NOEXCEPT;
void vision_writer_close(vision_writer *writer) VISION_NOEXCEPT;

#ifdef __cplusplus
}
#endif

// Video in and out through FFmpeg, frame by frame. Messages of the libraries are silenced: the caller says what is wrong.
#include <cstdlib>
#include <memory>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <stdexcept>
#include <utility>

#include "guarded.hpp"

static const bool quiet = [] {
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
  // x264's output depends on its count of threads, which it takes from the machine unless told.
  setenv("OPENCV_FFMPEG_WRITER_OPTIONS", "threads;1", 0);
  return true;
}();

struct vision_reader {
  cv::VideoCapture capture;
  cv::Mat frame;
  // What the file asks the viewer to do: a cv::RotateFlags, or -1.
  int turn = -1;
};

// OpenCV 4.6 tells the angle of FFmpeg's display matrix, which counts to the left, and then turns the picture as if it counted to the right.
static int turn(cv::VideoCapture &capture) {
  capture.set(cv::CAP_PROP_ORIENTATION_AUTO, 0);
  int left = static_cast<int>(capture.get(cv::CAP_PROP_ORIENTATION_META));
  if (left == 0) return -1;
  if (left == 180) return cv::ROTATE_180;
  if (CV_VERSION_MAJOR != 4 || CV_VERSION_MINOR != 6 || left % 90 != 0) throw std::runtime_error("asks to be rotated, which is not understood here");
  return left == 270 ? cv::ROTATE_90_CLOCKWISE : cv::ROTATE_90_COUNTERCLOCKWISE;
}

struct vision_writer {
  cv::VideoWriter writer;
  cv::Mat frame;
};

bool vision_reader_open(const char *path, vision_reader **reader, vision_video_info *info, char *message) noexcept {
  return guarded(message, [&] {
    auto opened = std::make_unique<vision_reader>();
    if (!opened->capture.open(path, cv::CAP_FFMPEG)) throw std::runtime_error("is not a video that can be read, or its end is missing");
    auto &capture = opened->capture;
    info->width = static_cast<int>(capture.get(cv::CAP_PROP_FRAME_WIDTH));
    info->height = static_cast<int>(capture.get(cv::CAP_PROP_FRAME_HEIGHT));
    opened->turn = turn(capture);
    if (opened->turn == cv::ROTATE_90_CLOCKWISE || opened->turn == cv::ROTATE_90_COUNTERCLOCKWISE) std::swap(info->width, info->height);
    info->fps = capture.get(cv::CAP_PROP_FPS);
    info->frames = static_cast<long>(capture.get(cv::CAP_PROP_FRAME_COUNT));
    int code = static_cast<int>(capture.get(cv::CAP_PROP_FOURCC));
    info->h264 = code == cv::VideoWriter::fourcc('h', '2', '6', '4') || code == cv::VideoWriter::fourcc('a', 'v', 'c', '1') ||
                 code == cv::VideoWriter::fourcc('H', '2', '6', '4');
    if (info->width <= 0 || info->height <= 0) throw std::runtime_error("has no picture");
    *reader = opened.release();
  });
}

bool vision_reader_next(vision_reader *reader, vision_image image, double *seconds, bool *ended, char *message) noexcept {
  return guarded(message, [&] {
    *ended = !reader->capture.read(reader->frame);
    if (*ended) return;
    *seconds = reader->capture.get(cv::CAP_PROP_POS_MSEC) / 1000;
    if (reader->turn >= 0) cv::rotate(reader->frame, reader->frame, reader->turn);
    if (reader->frame.cols != image.width || reader->frame.rows != image.height) throw std::runtime_error("changes its picture size");
    cv::Mat target = view(image);
    cv::cvtColor(reader->frame, target, cv::COLOR_BGR2RGB);
  });
}

void vision_reader_close(vision_reader *reader) noexcept { delete reader; }

bool vision_writer_open(const char *path, double fps, int width, int height, vision_writer **writer, char *message) noexcept {
  return guarded(message, [&] {
    auto opened = std::make_unique<vision_writer>();
    int code = cv::VideoWriter::fourcc('a', 'v', 'c', '1');
    if (!opened->writer.open(path, cv::CAP_FFMPEG, code, fps, cv::Size(width, height))) throw std::runtime_error("cannot be written as H.264");
    *writer = opened.release();
  });
}

bool vision_writer_add(vision_writer *writer, vision_image image, char *message) noexcept {
  return guarded(message, [&] {
    cv::cvtColor(view(image), writer->frame, cv::COLOR_RGB2BGR);
    writer->writer.write(writer->frame);
  });
}

void vision_writer_close(vision_writer *writer) noexcept { delete writer; }

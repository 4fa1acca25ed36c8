// Video in and out through FFmpeg, frame by frame. Messages of the libraries are silenced: the caller says what is wrong.
#include <cstdlib>
#include <memory>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <stdexcept>

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
};

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
    info->fps = capture.get(cv::CAP_PROP_FPS);
    info->frames = static_cast<long>(capture.get(cv::CAP_PROP_FRAME_COUNT));
    if (info->width <= 0 || info->height <= 0) throw std::runtime_error("has no picture");
    *reader = opened.release();
  });
}

bool vision_reader_next(vision_reader *reader, vision_image image, bool *ended, char *message) noexcept {
  return guarded(message, [&] {
    *ended = !reader->capture.read(reader->frame);
    if (*ended) return;
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

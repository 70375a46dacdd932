// Debian 12 ships OpenCV 4.6; gocv v0.43 also wraps a few functions of newer
// releases. This header declares what 4.6 lacks so that gocv compiles
// unchanged. It is force-included (CGO_CXXFLAGS="-include .../compat46.h").
// None of it is called by Wardwatch: each stand-in raises an OpenCV error,
// which gocv turns into a Go error.
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/core/version.hpp>
#include <opencv2/dnn.hpp>

#if CV_VERSION_MAJOR == 4 && CV_VERSION_MINOR < 8
namespace cv {
namespace dnn {

enum DataLayout { DNN_LAYOUT_UNKNOWN = 0 };
enum ImagePaddingMode { DNN_PMODE_NULL = 0 };

struct Image2BlobParams {
  Image2BlobParams(const Scalar&, const Size&, const Scalar&, bool, int,
                   DataLayout, ImagePaddingMode, const Scalar&) {
    CV_Error(Error::StsNotImplemented, "Image2BlobParams needs OpenCV 4.8");
  }
  Rect blobRectToImageRect(const Rect&, const Size&) { return Rect(); }
  void blobRectsToImageRects(const std::vector<Rect>&, std::vector<Rect>&,
                             const Size&) {}
};

inline Mat blobFromImageWithParams(InputArray, const Image2BlobParams&) {
  return Mat();
}
inline void blobFromImagesWithParams(InputArrayOfArrays, OutputArray,
                                     const Image2BlobParams&) {}

}  // namespace dnn
}  // namespace cv
#endif

#pragma once
#include <stdint.h>

typedef struct avdec avdec;

enum { AVDEC_H264 = 0, AVDEC_H265 = 1, AVDEC_VP8 = 2, AVDEC_MJPEG = 3 };

/* NULL when the decoder is not there. Pictures of more than max_pixels are refused. */
avdec *avdec_new(int codec, int64_t max_pixels);
void avdec_free(avdec *d);

/* 1: a whole picture is in hand; 0: none yet; negative: AVERROR. */
int avdec_push(avdec *d, const uint8_t *data, int size);

int avdec_width(const avdec *d);
int avdec_height(const avdec *d);

/* Converts the picture in hand to packed BGR of its own size; 0, or negative. */
int avdec_bgr(avdec *d, uint8_t *dst, int stride);

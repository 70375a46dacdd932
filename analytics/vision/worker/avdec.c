//go:build cgo && vision

#include "avdec.h"

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

struct avdec {
  AVCodecContext *ctx;
  AVPacket *packet;
  AVFrame *fresh;   /* what the decoder writes into */
  AVFrame *picture; /* the last picture of a push */
  struct SwsContext *sws;
};

avdec *avdec_new(int codec, int64_t max_pixels) {
  static const enum AVCodecID ids[] = {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC,
                                       AV_CODEC_ID_VP8, AV_CODEC_ID_MJPEG};
  av_log_set_level(AV_LOG_QUIET); /* a bad camera must not flood the log */
  if (codec < 0 || codec > AVDEC_MJPEG) return NULL;
  const AVCodec *c = avcodec_find_decoder(ids[codec]);
  if (!c) return NULL;
  avdec *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->ctx = avcodec_alloc_context3(c);
  d->packet = av_packet_alloc();
  d->fresh = av_frame_alloc();
  d->picture = av_frame_alloc();
  if (!d->ctx || !d->packet || !d->fresh || !d->picture) {
    avdec_free(d);
    return NULL;
  }
  d->ctx->max_pixels = max_pixels;
  d->ctx->thread_count = 1;
  d->ctx->flags |= AV_CODEC_FLAG_LOW_DELAY; /* one unit in, one picture out */
  if (avcodec_open2(d->ctx, c, NULL) < 0) {
    avdec_free(d);
    return NULL;
  }
  return d;
}

void avdec_free(avdec *d) {
  if (!d) return;
  sws_freeContext(d->sws);
  av_frame_free(&d->picture);
  av_frame_free(&d->fresh);
  av_packet_free(&d->packet);
  avcodec_free_context(&d->ctx);
  free(d);
}

int avdec_push(avdec *d, const uint8_t *data, int size) {
  int got = 0;
  int r = av_new_packet(d->packet, size); /* adds the zero padding it reads beyond */
  if (r < 0) return r;
  memcpy(d->packet->data, data, size);
  r = avcodec_send_packet(d->ctx, d->packet);
  av_packet_unref(d->packet);
  if (r < 0) return r;
  for (;;) {
    r = avcodec_receive_frame(d->ctx, d->fresh);
    if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) return got;
    if (r < 0) return r;
    /* A picture patched together from neighbours is no evidence of anything. */
    if (d->fresh->decode_error_flags || d->fresh->flags & AV_FRAME_FLAG_CORRUPT) {
      av_frame_unref(d->fresh);
      return AVERROR_INVALIDDATA;
    }
    av_frame_unref(d->picture);
    av_frame_move_ref(d->picture, d->fresh);
    got = 1;
  }
}

int avdec_width(const avdec *d) { return d->picture->width; }
int avdec_height(const avdec *d) { return d->picture->height; }

int avdec_bgr(avdec *d, uint8_t *dst, int stride) {
  AVFrame *f = d->picture;
  d->sws = sws_getCachedContext(d->sws, f->width, f->height, f->format, f->width,
                                f->height, AV_PIX_FMT_BGR24, SWS_POINT, NULL,
                                NULL, NULL);
  if (!d->sws) return AVERROR(ENOMEM);
  const int *coef = sws_getCoefficients(SWS_CS_DEFAULT);
  sws_setColorspaceDetails(d->sws, coef, f->color_range == AVCOL_RANGE_JPEG, coef,
                           1, 0, 1 << 16, 1 << 16);
  uint8_t *planes[4] = {dst};
  int strides[4] = {stride};
  int r = sws_scale(d->sws, (const uint8_t *const *)f->data, f->linesize, 0,
                    f->height, planes, strides);
  return r < 0 ? r : 0;
}

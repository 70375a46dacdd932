//go:build cgo && vision

#include "avenc.h"

#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

/* What is covered of the picture that is shown at pts. */
typedef struct {
  int64_t pts;
  int count; /* above AVENC_COVERS: everything */
  float rects[AVENC_COVERS][4];
} mask;

struct avenc {
  AVCodecContext *dec;
  AVCodecContext *enc; /* NULL before the first picture and after a change of size */
  AVPacket *in;
  AVPacket *out;
  AVFrame *picture; /* decoded */
  AVFrame *small;   /* scaled */
  struct SwsContext *sws;
  int max_lines;
  int64_t last; /* pts of the last coded picture */
  int masking;
  int masks;      /* announced so far; the newest AVENC_MASKED are kept */
  mask *announced; /* AVENC_MASKED of them, NULL without masking */
};

avenc *avenc_new(int codec, int64_t max_pixels, int max_lines) {
  static const enum AVCodecID ids[] = {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC,
                                       AV_CODEC_ID_MJPEG, AV_CODEC_ID_VP8};
  av_log_set_level(AV_LOG_QUIET); /* a bad camera must not flood the log */
  if (codec < 0 || codec > AVENC_VP8) return NULL;
  const AVCodec *c = avcodec_find_decoder(ids[codec]);
  if (!c) return NULL;
  avenc *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  e->max_lines = max_lines;
  e->last = AV_NOPTS_VALUE;
  e->dec = avcodec_alloc_context3(c);
  e->in = av_packet_alloc();
  e->out = av_packet_alloc();
  e->picture = av_frame_alloc();
  e->small = av_frame_alloc();
  if (!e->dec || !e->in || !e->out || !e->picture || !e->small) {
    avenc_free(e);
    return NULL;
  }
  e->dec->max_pixels = max_pixels;
  e->dec->thread_count = 1;
  e->dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
  e->dec->pkt_timebase = (AVRational){1, 90000};
  if (avcodec_open2(e->dec, c, NULL) < 0) {
    avenc_free(e);
    return NULL;
  }
  return e;
}

void avenc_free(avenc *e) {
  if (!e) return;
  free(e->announced);
  sws_freeContext(e->sws);
  av_frame_free(&e->small);
  av_frame_free(&e->picture);
  av_packet_free(&e->out);
  av_packet_free(&e->in);
  avcodec_free_context(&e->enc);
  avcodec_free_context(&e->dec);
  free(e);
}

int avenc_push(avenc *e, const uint8_t *data, int size, int64_t pts) {
  int r = av_new_packet(e->in, size); /* adds the zero padding it reads beyond */
  if (r < 0) return r;
  memcpy(e->in->data, data, size);
  e->in->pts = pts;
  r = avcodec_send_packet(e->dec, e->in);
  av_packet_unref(e->in);
  return r;
}

void avenc_mask(avenc *e, int64_t pts) {
  e->masking = 1;
  if (!e->announced) e->announced = calloc(AVENC_MASKED, sizeof *e->announced);
  if (!e->announced) return; /* then everything is covered */
  mask *m = &e->announced[e->masks++ % AVENC_MASKED];
  m->pts = pts;
  m->count = 0;
}

void avenc_cover(avenc *e, float x, float y, float w, float h) {
  if (!e->announced || !e->masks) return;
  mask *m = &e->announced[(e->masks - 1) % AVENC_MASKED];
  if (m->count < AVENC_COVERS) {
    float *r = m->rects[m->count];
    r[0] = x, r[1] = y, r[2] = w, r[3] = h;
  }
  m->count++;
}

static int within(float at, int size) {
  if (!(at > 0)) return 0; /* also NaN */
  return at >= 1 ? size : (int)(at * size);
}

/* Paints a rectangle of e->small grey, its edges rounded outwards to whole
 * pixels of colour, so that nothing of what was there is left. */
static void paint(avenc *e, float x, float y, float w, float h) {
  AVFrame *f = e->small;
  int left = within(x, f->width) & ~1, top = within(y, f->height) & ~1;
  int right = (within(x + w, f->width) + 2) & ~1, bottom = (within(y + h, f->height) + 2) & ~1;
  if (right > f->width) right = f->width;
  if (bottom > f->height) bottom = f->height;
  if (right <= left || bottom <= top) return;
  for (int p = 0; p < 3; p++) {
    int half = p > 0;
    for (int row = top >> half; row < bottom >> half; row++)
      memset(f->data[p] + (ptrdiff_t)row * f->linesize[p] + (left >> half), half ? 128 : 96,
             (right - left) >> half);
  }
}

/* Covers of e->small what was announced for this picture, or all of it. */
static void cover(avenc *e, int64_t pts) {
  if (!e->masking) return;
  if (e->announced && pts != AV_NOPTS_VALUE)
    for (int i = 0; i < AVENC_MASKED && i < e->masks; i++) {
      mask *m = &e->announced[i];
      if (m->pts != pts || m->count > AVENC_COVERS) continue;
      for (int n = 0; n < m->count; n++)
        paint(e, m->rects[n][0], m->rects[n][1], m->rects[n][2], m->rects[n][3]);
      return;
    }
  paint(e, 0, 0, 1, 1);
}

int avenc_flush(avenc *e) { return avcodec_send_packet(e->dec, NULL); }

/* Begins H.264 of this size, and the picture to scale into. */
static int open_encoder(avenc *e, int width, int height) {
  const AVCodec *c = avcodec_find_encoder_by_name("libx264");
  if (!c) return AVERROR_ENCODER_NOT_FOUND;
  avcodec_free_context(&e->enc);
  av_frame_unref(e->small);
  e->enc = avcodec_alloc_context3(c);
  if (!e->enc) return AVERROR(ENOMEM);
  e->enc->width = width;
  e->enc->height = height;
  e->enc->pix_fmt = AV_PIX_FMT_YUV420P;
  e->enc->time_base = (AVRational){1, 90000};
  e->enc->framerate = (AVRational){25, 1}; /* for the rate only */
  e->enc->gop_size = 50;
  e->enc->max_b_frames = 0;
  e->enc->thread_count = 1;
  e->enc->rc_max_rate = 2500000;
  e->enc->rc_buffer_size = 2500000;
  AVDictionary *o = NULL;
  av_dict_set(&o, "preset", "superfast", 0);
  av_dict_set(&o, "tune", "zerolatency", 0);
  av_dict_set(&o, "profile", "baseline", 0);
  av_dict_set(&o, "crf", "24", 0);
  av_dict_set(&o, "forced-idr", "1", 0);
  int r = avcodec_open2(e->enc, c, &o);
  av_dict_free(&o);
  if (r < 0) {
    avcodec_free_context(&e->enc);
    return r;
  }
  e->small->format = AV_PIX_FMT_YUV420P;
  e->small->width = width;
  e->small->height = height;
  return av_frame_get_buffer(e->small, 0);
}

/* Scales the picture in hand into e->small. */
static int scale(avenc *e, int width, int height) {
  AVFrame *f = e->picture;
  // Not SWS_FAST_BILINEAR: it writes machine code, which a sealed worker may not.
  e->sws = sws_getCachedContext(e->sws, f->width, f->height, f->format, width,
                                height, AV_PIX_FMT_YUV420P, SWS_BILINEAR,
                                NULL, NULL, NULL);
  if (!e->sws) return AVERROR(ENOMEM);
  const int *coef = sws_getCoefficients(SWS_CS_DEFAULT);
  sws_setColorspaceDetails(e->sws, coef, f->color_range == AVCOL_RANGE_JPEG, coef,
                           0, 0, 1 << 16, 1 << 16);
  int r = av_frame_make_writable(e->small);
  if (r < 0) return r;
  r = sws_scale(e->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height,
                e->small->data, e->small->linesize);
  return r < 0 ? r : 0;
}

/* Codes the picture in hand; 1 when an access unit came out. */
static int code(avenc *e, int key) {
  AVFrame *f = e->picture;
  if (f->width < 16 || f->height < 16) return AVERROR_INVALIDDATA;
  int height = f->height > e->max_lines ? e->max_lines : f->height;
  int64_t wide = (int64_t)f->width * height / f->height;
  if (wide > 3 * (int64_t)e->max_lines) wide = 3 * (int64_t)e->max_lines;
  int width = wide < 16 ? 16 : (int)wide & ~1;
  height &= ~1;
  int r;
  if (!e->enc || e->enc->width != width || e->enc->height != height)
    if ((r = open_encoder(e, width, height)) < 0) return r;
  if ((r = scale(e, width, height)) < 0) return r;
  cover(e, f->pts);
  int64_t pts = f->pts;
  if (pts == AV_NOPTS_VALUE || (e->last != AV_NOPTS_VALUE && pts <= e->last))
    pts = e->last == AV_NOPTS_VALUE ? 0 : e->last + 1;
  e->last = e->small->pts = pts;
  e->small->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  if ((r = avcodec_send_frame(e->enc, e->small)) < 0) return r;
  av_packet_unref(e->out);
  r = avcodec_receive_packet(e->enc, e->out);
  if (r == AVERROR(EAGAIN)) return AVERROR_BUG; /* zerolatency: one in, one out */
  return r < 0 ? r : 1;
}

int avenc_next(avenc *e, int show, int key) {
  int r = avcodec_receive_frame(e->dec, e->picture);
  if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) return 0;
  if (r < 0) return r;
  /* A picture patched together from neighbours is not shown as if it were one. */
  if (!show || e->picture->decode_error_flags ||
      e->picture->flags & AV_FRAME_FLAG_CORRUPT)
    r = 2;
  else
    r = code(e, key);
  av_frame_unref(e->picture);
  return r;
}

const uint8_t *avenc_data(const avenc *e) { return e->out->data; }
int avenc_size(const avenc *e) { return e->out->size; }
int64_t avenc_pts(const avenc *e) { return e->out->pts; }
int avenc_is_key(const avenc *e) { return e->out->flags & AV_PKT_FLAG_KEY; }

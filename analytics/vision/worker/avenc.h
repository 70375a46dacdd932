#pragma once
#include <stdint.h>

typedef struct avenc avenc;

enum { AVENC_H264 = 0, AVENC_H265 = 1, AVENC_MJPEG = 2, AVENC_VP8 = 3 };

/* Decodes a codec and codes it again as H.264 baseline of at most max_lines
 * lines. NULL when a coder is not there. Pictures of more than max_pixels are refused. */
avenc *avenc_new(int codec, int64_t max_pixels, int max_lines);
void avenc_free(avenc *e);

/* Decodes one access unit that is shown at pts (1/90000 s); 0, or a negative AVERROR. */
int avenc_push(avenc *e, const uint8_t *data, int size, int64_t pts);

/* From now on only pictures whose pts was announced are shown as they are: all
 * others are covered whole. Announces pts; at most AVENC_MASKED are remembered. */
void avenc_mask(avenc *e, int64_t pts);

/* Covers a rectangle, in fractions of the picture from its top left, of the
 * picture announced last. When there is no room for it the picture is covered whole. */
void avenc_cover(avenc *e, float x, float y, float w, float h);

enum { AVENC_MASKED = 64, AVENC_COVERS = 256 };

/* Says that no more comes: the pictures that are held back can be taken. */
int avenc_flush(avenc *e);

/* Takes the next decoded picture. With show it is coded, as a key frame with
 * key: 1, and avenc_data is what came out; without it is forgotten: 2.
 * 0: no picture is left; negative: AVERROR. */
int avenc_next(avenc *e, int show, int key);

/* The H.264 access unit (Annex B) of the last avenc_next that returned 1. */
const uint8_t *avenc_data(const avenc *e);
int avenc_size(const avenc *e);
int64_t avenc_pts(const avenc *e);
int avenc_is_key(const avenc *e);

/* SPDX-License-Identifier: ISC */
/* zlib behind gzip.h. */
#include "crlpress/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* zlib: a window of 32 KiB, and 16 more for the form of gzip. */
#define WINDOW_BITS (15 + 16)

/* Serials are random: of a CRL level 6 makes 4 % less in twice the time. */
#define LEVEL 3

/* zlib counts in unsigned int. */
#define STEP_MOST ((size_t)UINT_MAX / 2)

/* Room to begin with: packed text becomes four times as long or so. */
#define ROOM_FACTOR 4
#define ROOM_LEAST ((size_t)4096)

void
gzip_bytes_free(struct gzip_bytes *bytes)
{
	if (bytes == NULL)
		return;
	free(bytes->data);
	memset(bytes, 0, sizeof(*bytes));
}

bool
gzip_is_packed(const void *data, size_t len)
{
	static const uint8_t magic[] = {0x1f, 0x8b};

	return len >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

/* What is to be read next; `*done` bytes of `len` have been. */
static void
input_give(z_stream *stream, const uint8_t *data, size_t len, size_t *done)
{
	size_t step = len - *done;

	if (stream->avail_in > 0 || step == 0)
		return;
	if (step > STEP_MOST)
		step = STEP_MOST;
	stream->next_in = (z_const Bytef *)(uintptr_t)(data + *done);
	stream->avail_in = (uInt)step;
	*done += step;
}

/* Where the next bytes go. */
static void
output_give(z_stream *stream, struct gzip_bytes *bytes, size_t room)
{
	size_t step = room - bytes->len;

	if (step > STEP_MOST)
		step = STEP_MOST;
	stream->next_out = bytes->data + bytes->len;
	stream->avail_out = (uInt)step;
}

static bool
room_make(struct gzip_bytes *bytes, size_t room)
{
	uint8_t *data = realloc(bytes->data, room);

	if (data == NULL)
		return false;
	bytes->data = data;
	return true;
}

/* There is room for all that can come: deflateBound says how much. */
static enum status
pack_all(z_stream *stream, const uint8_t *data, size_t len, size_t room,
    struct gzip_bytes *packed)
{
	size_t done = 0;
	int code = Z_OK;

	while (code == Z_OK) {
		uInt before;

		input_give(stream, data, len, &done);
		output_give(stream, packed, room);
		before = stream->avail_out;
		code = deflate(stream, done == len ? Z_FINISH : Z_NO_FLUSH);
		packed->len += before - stream->avail_out;
		if (packed->len == room && code == Z_OK)
			return STATUS_FAILED;
	}
	return code == Z_STREAM_END ? STATUS_OK : STATUS_FAILED;
}

enum status
gzip_pack(const void *data, size_t len, struct gzip_bytes *packed)
{
	z_stream stream = {.zalloc = Z_NULL};
	enum status status;
	size_t room;

	memset(packed, 0, sizeof(*packed));
	if (len > ULONG_MAX / 2 ||
	    deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MAX_MEM_LEVEL,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return STATUS_NO_MEMORY;
	/* No header is set, so it has no name, and 0 for its time. */
	room = (size_t)deflateBound(&stream, (uLong)len) + 1;
	if (room_make(packed, room))
		status = pack_all(&stream, data, len, room, packed);
	else
		status = STATUS_NO_MEMORY;
	(void)deflateEnd(&stream);
	if (status != STATUS_OK)
		gzip_bytes_free(packed);
	return status;
}

/* What is wrong when inflate does not go on; NULL: memory. */
static const char *
inflate_fault(int code, bool all_read)
{
	if (code == Z_MEM_ERROR)
		return NULL;
	if (code == Z_BUF_ERROR && all_read)
		return "cut off before the end of the gzip file";
	return "damaged, or not a gzip file";
}

/*
 * One step; `*room` grows up to one octet more than is allowed, which shows
 * that there is more.
 */
static enum status
unpack_step(z_stream *stream, uint64_t most, size_t *room,
    struct gzip_bytes *unpacked, int *code)
{
	uInt before;

	if (unpacked->len == *room) {
		size_t want = *room > most / 2 ? (size_t)most + 1 : 2 * *room;

		if (*room > most || !room_make(unpacked, want))
			return *room > most ? STATUS_MALFORMED
					    : STATUS_NO_MEMORY;
		*room = want;
	}
	output_give(stream, unpacked, *room);
	before = stream->avail_out;
	*code = inflate(stream, Z_NO_FLUSH);
	unpacked->len += before - stream->avail_out;
	return unpacked->len > most ? STATUS_MALFORMED : STATUS_OK;
}

static enum status
unpack_all(z_stream *stream, const uint8_t *data, size_t len, uint64_t most,
    struct gzip_bytes *unpacked, const char **why)
{
	size_t room = len < most / ROOM_FACTOR ? len * ROOM_FACTOR + ROOM_LEAST
					       : (size_t)most + 1;
	size_t done = 0;
	int code = Z_OK;

	if (room > most)
		room = (size_t)most + 1;
	if (!room_make(unpacked, room))
		return STATUS_NO_MEMORY;
	while (code == Z_OK) {
		enum status status;

		input_give(stream, data, len, &done);
		status = unpack_step(stream, most, &room, unpacked, &code);
		if (status == STATUS_MALFORMED)
			*why = "larger than it may be when it is unpacked";
		if (status != STATUS_OK)
			return status;
	}
	if (code != Z_STREAM_END) {
		*why =
		    inflate_fault(code, done == len && stream->avail_in == 0);
		return *why == NULL ? STATUS_NO_MEMORY : STATUS_MALFORMED;
	}
	if (done == len && stream->avail_in == 0)
		return STATUS_OK;
	*why = "something stands behind the gzip file";
	return STATUS_MALFORMED;
}

enum status
gzip_unpack(const void *data, size_t len, uint64_t most,
    struct gzip_bytes *unpacked, const char **why)
{
	z_stream stream = {.zalloc = Z_NULL};
	enum status status;

	memset(unpacked, 0, sizeof(*unpacked));
	*why = NULL;
	if (most > SIZE_MAX / 4)
		most = SIZE_MAX / 4;
	if (!gzip_is_packed(data, len)) {
		*why = "not a gzip file";
		return STATUS_MALFORMED;
	}
	if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
		return STATUS_NO_MEMORY;
	status = unpack_all(&stream, data, len, most, unpacked, why);
	(void)inflateEnd(&stream);
	if (status != STATUS_OK)
		gzip_bytes_free(unpacked);
	return status;
}

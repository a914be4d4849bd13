/* SPDX-License-Identifier: ISC */
/* Progress on a terminal: done, rate, time remaining. */
#include "crlpress/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define DRAW_EVERY_SEC 0.2
#define CLEAR_LINE "\r\033[K"

struct progress {
	pthread_mutex_t mutex;
	FILE *stream;
	const char *phase;
	uint64_t total;
	uint64_t done;
	double started_sec;
	double drawn_sec;
	bool drawn;
};

static double
monotonic_sec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct progress *
progress_new(FILE *stream)
{
	struct progress *progress;

	if (stream == NULL)
		return NULL;
	progress = calloc(1, sizeof(*progress));
	if (progress == NULL)
		return NULL;
	if (pthread_mutex_init(&progress->mutex, NULL) != 0) {
		free(progress);
		return NULL;
	}
	progress->stream = stream;
	return progress;
}

static void
clear(struct progress *progress)
{
	if (!progress->drawn)
		return;
	fputs(CLEAR_LINE, progress->stream);
	fflush(progress->stream);
	progress->drawn = false;
}

static void
draw(struct progress *progress, double now_sec)
{
	double passed_sec = now_sec - progress->started_sec;
	double rate = passed_sec > 0 ? (double)progress->done / passed_sec : 0;

	fprintf(progress->stream, CLEAR_LINE "%s: %" PRIu64, progress->phase,
	    progress->done);
	if (progress->total > 0)
		fprintf(progress->stream, " of %" PRIu64, progress->total);
	if (rate > 0)
		fprintf(progress->stream, ", %.0f/s", rate);
	if (rate > 0 && progress->total > progress->done)
		fprintf(progress->stream, ", %.0f s left",
		    (double)(progress->total - progress->done) / rate);
	fflush(progress->stream);
	progress->drawn_sec = now_sec;
	progress->drawn = true;
}

void
progress_phase(struct progress *progress, const char *phase, uint64_t total)
{
	if (progress == NULL)
		return;
	pthread_mutex_lock(&progress->mutex);
	clear(progress);
	progress->phase = phase;
	progress->total = total;
	progress->done = 0;
	progress->started_sec = progress->drawn_sec = monotonic_sec();
	pthread_mutex_unlock(&progress->mutex);
}

void
progress_add(struct progress *progress, uint64_t steps)
{
	double now_sec;

	if (progress == NULL)
		return;
	pthread_mutex_lock(&progress->mutex);
	progress->done += steps;
	now_sec = monotonic_sec();
	if (now_sec - progress->drawn_sec >= DRAW_EVERY_SEC)
		draw(progress, now_sec);
	pthread_mutex_unlock(&progress->mutex);
}

void
progress_clear(struct progress *progress)
{
	if (progress == NULL)
		return;
	pthread_mutex_lock(&progress->mutex);
	clear(progress);
	pthread_mutex_unlock(&progress->mutex);
}

void
progress_free(struct progress *progress)
{
	if (progress == NULL)
		return;
	clear(progress);
	pthread_mutex_destroy(&progress->mutex);
	free(progress);
}

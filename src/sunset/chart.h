/* SPDX-License-Identifier: ISC */
/*
 * The requests of each day as an SVG element, to stand in a page whose style
 * sheet colours its classes. A logarithmic scale: what dies away does so over
 * many powers of ten.
 */
#ifndef CRLPRESS_CHART_H
#define CRLPRESS_CHART_H

#include <stdio.h>

#include "sunset_report_impl.h"

void chart_svg(const struct sunset_findings *findings, FILE *out);

#endif

/* SPDX-License-Identifier: ISC */
/* Hexadecimal digits, for whoever reads them from text. Pure; no library. */
#ifndef CRLPRESS_HEX_H
#define CRLPRESS_HEX_H

/* The value of a digit of either case, or -1. */
int hex_digit(char c);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * What the text of single configuration values must be: names, URLs, object
 * keys, connection strings. Each function returns NULL, or static text with
 * the fault, which never repeats the value. Pure; no library.
 */
#ifndef CRLPRESS_CONFIG_VALUE_H
#define CRLPRESS_CONFIG_VALUE_H

/* [issuer] name: safe as the name of a directory. */
const char *config_name_fault(const char *value);

/* [issuer] key: a file, or a URI that names one key and no PIN. */
const char *config_private_key_fault(const char *value);

/* [source] conninfo: no secret in it. */
const char *config_conninfo_fault(const char *value);

/* A shard's URL or its template: scheme://host/path, nothing to normalise. */
/* config_source.c: what the rows come from. */
const char *config_source_fault(const char *value);
const char *config_url_fault(const char *value);

/* An object key or its template. */
const char *config_object_fault(const char *value);

/* [store] url: "/path", "file:///path" or "s3://bucket/prefix". */
const char *config_store_fault(const char *value);

/* [store] cache_control: the value of a header. */
const char *config_header_fault(const char *value);

/* [store] profile: can stand in a section's name of the shared files. */
const char *config_profile_fault(const char *value);

/*
 * The path of a URL without its leading slash, as an object key: what a
 * server of the store at that host would look for. NULL: the URL is not one
 * whose path says so (a query, a % escape, an empty path).
 */
const char *config_url_object(const char *url);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * Configuration for servers that are there already. What each has in common:
 * a path is never normalised into something else, no request is logged (it
 * has an address and a serial), POST is answered like GET, and GET / is a
 * health check.
 */
#include <inttypes.h>

#include "render_impl.h"

/* Seconds that a client may take for a request or between two. */
#define REQUEST_SEC 10
#define IDLE_SEC 15

static void
print_hosts(
    const struct render *render, FILE *out, const char *before, size_t from)
{
	for (size_t i = from; i < render->hosts->count; i++)
		fprintf(out, "%s%s", before, render->hosts->text[i]);
}

/* The answer as nginx takes it: the bytes themselves, in quotes. None of them
 * is a NUL, a quote, a dollar sign or a backslash. */
static void
nginx_answer(const struct render *render, FILE *out)
{
	const uint8_t *der = answer_mode_der(render->mode);

	if (render->mode == ANSWER_CLOSE) {
		fputs("\t\treturn 444;\n", out);
		return;
	}
	fprintf(out, "\t\treturn %u \"", render_http_status(render->mode));
	if (der != NULL)
		fwrite(der, 1, ANSWER_DER_BYTES, out);
	fputs("\";\n", out);
}

static void
nginx_headers(const struct render *render, FILE *out)
{
	char cache[RENDER_CACHE_BYTES];

	fprintf(out,
	    "\t\ttypes { }\n"
	    "\t\tdefault_type application/ocsp-response;\n"
	    "\t\tadd_header Cache-Control \"%s\" always;\n",
	    render_cache_control(render, cache));
	if (render->mode == ANSWER_UNAVAILABLE)
		fprintf(out, "\t\tadd_header Retry-After %" PRId64 " always;\n",
		    render->retry_after_sec);
}

static void
nginx_locations(const struct render *render, FILE *out)
{
	fputs("\t# POST of an OCSP request goes to / too.\n"
	      "\tlocation = / {\n"
	      "\t\tif ($request_method ~ \"^(GET|HEAD)$\") {\n"
	      "\t\t\trewrite ^ /health last;\n"
	      "\t\t}\n",
	    out);
	nginx_headers(render, out);
	nginx_answer(render, out);
	fputs("\t}\n"
	      "\tlocation = /health {\n"
	      "\t\tinternal;\n"
	      "\t\tdefault_type text/plain;\n"
	      "\t\tadd_header Cache-Control \"no-store\" always;\n"
	      "\t\treturn 200 \"ok\\n\";\n"
	      "\t}\n"
	      "\tlocation / {\n",
	    out);
	nginx_headers(render, out);
	nginx_answer(render, out);
	fputs("\t}\n", out);
}

void
render_nginx(const struct render *render, FILE *out)
{
	fputs("# Made by `ocsp-sunset render`, for the http context of nginx:\n"
	      "# /etc/nginx/conf.d/ocsp.conf, say. The quotes behind \"return "
	      "200\" may hold\n"
	      "# bytes that no editor shows: copy this file, do not retype "
	      "it.\n"
	      "server {\n",
	    out);
	fprintf(out, "\tlisten %" PRIu32 ";\n\tlisten [::]:%" PRIu32 ";\n",
	    render->port, render->port);
	fputs("\tserver_name", out);
	print_hosts(render, out, " ", 0);
	fprintf(out, "%s;\n\n", render->hosts->count == 0 ? " _" : "");
	fprintf(out,
	    "\t# A request names a client and a certificate.\n"
	    "\taccess_log off;\n"
	    "\terror_log /dev/null crit;\n"
	    "\tserver_tokens off;\n"
	    "\tclient_max_body_size %d;\n"
	    "\tclient_header_timeout %ds;\n"
	    "\tclient_body_timeout %ds;\n"
	    "\tsend_timeout %ds;\n"
	    "\tkeepalive_timeout %ds;\n"
	    "\tlarge_client_header_buffers 4 16k;\n\n"
	    "\t# Locations have fields of their own: these are of OPTIONS and "
	    "405 alone.\n"
	    "\t# `OPTIONS *` is refused by nginx itself.\n"
	    "\tadd_header Allow \"" RENDER_ALLOW "\" always;\n"
	    "\tif ($request_method = OPTIONS) {\n"
	    "\t\treturn 200;\n"
	    "\t}\n"
	    "\tif ($request_method !~ \"^(GET|HEAD|POST)$\") {\n"
	    "\t\treturn 405;\n"
	    "\t}\n",
	    RENDER_BODY_BYTES_MOST, REQUEST_SEC, REQUEST_SEC, REQUEST_SEC,
	    IDLE_SEC);
	nginx_locations(render, out);
	fputs("}\n", out);
}

static void
apache_answer(const struct render *render, FILE *out)
{
	char name[RENDER_BODY_NAME_BYTES];

	fprintf(out,
	    "\tRewriteEngine On\n"
	    "\tRewriteCond \"%%{REQUEST_METHOD}\" \"^(GET|HEAD)$\"\n"
	    "\tRewriteRule \"^/?$\" \"%s/%s\" [L]\n",
	    render->directory, RENDER_HEALTH_NAME);
	if (answer_mode_der(render->mode) != NULL)
		fprintf(out, "\tRewriteRule \"^\" \"%s/%s\" [L]\n",
		    render->directory, render_body_name(render->mode, name));
	else
		fprintf(out, "\tRewriteRule \"^\" \"-\" [R=%u,L]\n",
		    render_http_status(render->mode));
	if (render->mode == ANSWER_UNAVAILABLE)
		fprintf(out,
		    "\tHeader always set Retry-After %" PRId64
		    " \"expr=%%{REQUEST_STATUS} == 503\"\n",
		    render->retry_after_sec);
}

static void
apache_directory(const struct render *render, FILE *out)
{
	char cache[RENDER_CACHE_BYTES];

	fprintf(out,
	    "\tHeader always set Cache-Control \"%s\"\n"
	    "\tHeader unset Last-Modified\n"
	    "\tRequestHeader unset If-Modified-Since\n"
	    "\tRequestHeader unset If-Unmodified-Since\n"
	    "\tRequestHeader unset If-Match\n"
	    "\tRequestHeader unset If-None-Match\n"
	    "\tRequestHeader unset Range\n"
	    "\tFileETag None\n"
	    "\t<Directory \"/\">\n"
	    "\t\tAllowOverride None\n"
	    "\t</Directory>\n"
	    "\t<Directory \"%s\">\n"
	    "\t\tOptions None\n"
	    "\t\tRequire all granted\n"
	    "\t\tForceType application/ocsp-response\n"
	    "\t\t<Files \"%s\">\n"
	    "\t\t\tForceType text/plain\n"
	    "\t\t\tHeader always set Cache-Control no-store\n"
	    "\t\t</Files>\n"
	    "\t</Directory>\n",
	    render_cache_control(render, cache), render->directory,
	    RENDER_HEALTH_NAME);
}

void
render_apache(const struct render *render, FILE *out)
{
	fprintf(out,
	    "# Made by `ocsp-sunset render`, for Apache httpd 2.4.39 or later: "
	    "a site. It needs\n"
	    "# a2enmod headers rewrite, and `Listen %" PRIu32 "`. Nothing is "
	    "logged here unless the\n"
	    "# server has a CustomLog of its own outside of all sites.\n"
	    "<VirtualHost *:%" PRIu32 ">\n",
	    render->port, render->port);
	if (render->hosts->count > 0)
		fprintf(out, "\tServerName %s\n", render->hosts->text[0]);
	if (render->hosts->count > 1) {
		fputs("\tServerAlias", out);
		print_hosts(render, out, " ", 1);
		fputc('\n', out);
	}
	fprintf(out,
	    "\t# Base64 has slashes, also as %%2F and two in a row.\n"
	    "\tAllowEncodedSlashes NoDecode\n"
	    "\tMergeSlashes Off\n"
	    "\tErrorLog /dev/null\n"
	    "\tLogLevel crit\n"
	    "\tLimitRequestBody %d\n"
	    "\tLimitRequestLine 16380\n"
	    "\tTimeout %d\n"
	    "\tKeepAliveTimeout %d\n"
	    "\tTraceEnable Off\n",
	    RENDER_BODY_BYTES_MOST, REQUEST_SEC, IDLE_SEC);
	apache_answer(render, out);
	apache_directory(render, out);
	fputs("</VirtualHost>\n", out);
}

static void
haproxy_answer(const struct render *render, FILE *out)
{
	char cache[RENDER_CACHE_BYTES];
	char name[RENDER_BODY_NAME_BYTES];

	if (render->mode == ANSWER_CLOSE) {
		fputs("\thttp-request reject\n", out);
		return;
	}
	fprintf(out, "\thttp-request return status %u",
	    render_http_status(render->mode));
	if (answer_mode_der(render->mode) != NULL)
		fprintf(out,
		    " content-type application/ocsp-response file \"%s/%s\"",
		    render->directory, render_body_name(render->mode, name));
	fprintf(out, " hdr Cache-Control \"%s\"",
	    render_cache_control(render, cache));
	if (render->mode == ANSWER_UNAVAILABLE)
		fprintf(out, " hdr Retry-After \"%" PRId64 "\"",
		    render->retry_after_sec);
	fputc('\n', out);
}

void
render_haproxy(const struct render *render, FILE *out)
{
	fprintf(out,
	    "# Made by `ocsp-sunset render`, for HAProxy 2.4 or later. The "
	    "file with the answer\n"
	    "# is read when HAProxy starts.\n"
	    "frontend ocsp-sunset\n"
	    "\tmode http\n"
	    "\tbind :%" PRIu32 "\n"
	    "\tbind [::]:%" PRIu32 " v6only\n"
	    "\t# A request names a client and a certificate.\n"
	    "\tno log\n"
	    "\ttimeout client %ds\n"
	    "\ttimeout http-request %ds\n"
	    "\ttimeout http-keep-alive %ds\n",
	    render->port, render->port, IDLE_SEC, REQUEST_SEC, IDLE_SEC);
	if (render->hosts->count > 0) {
		fputs("\thttp-request return status 421 unless "
		      "{ req.hdr(host),field(1,:),lower -m str",
		    out);
		print_hosts(render, out, " ", 0);
		fputs(" }\n", out);
	}
	fprintf(out,
	    "\thttp-request return status 200 hdr Allow \"" RENDER_ALLOW
	    "\" if { method OPTIONS }\n"
	    "\thttp-request return status 405 hdr Allow \"" RENDER_ALLOW
	    "\" unless { method GET HEAD POST }\n"
	    "\thttp-request return status 413 if "
	    "{ req.hdr_val(content-length) gt %d }\n"
	    "\thttp-request return status 200 content-type text/plain "
	    "file \"%s/%s\" hdr Cache-Control no-store if { path / } "
	    "{ method GET HEAD }\n",
	    RENDER_BODY_BYTES_MOST, render->directory, RENDER_HEALTH_NAME);
	haproxy_answer(render, out);
}

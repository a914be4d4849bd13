/* SPDX-License-Identifier: ISC */
/*
 * For what answers at the edge: VCL, and a recipe for a CDN whose ways we do
 * not know.
 */
#include <inttypes.h>

#include "render_impl.h"

static void
varnish_hosts(const struct render *render, FILE *out)
{
	if (render->hosts->count == 0)
		return;
	fputs("\tif (req.http.host !~ \"(?i)^(", out);
	for (size_t i = 0; i < render->hosts->count; i++) {
		if (i > 0)
			fputc('|', out);
		for (const char *c = render->hosts->text[i]; *c != '\0'; c++)
			fprintf(out, "%s%c", *c == '.' ? "\\" : "", *c);
	}
	fputs(")(:[0-9]+)?$\") {\n\t\treturn (synth(421));\n\t}\n", out);
}

static const char *
http_reason(enum answer_mode mode)
{
	switch (mode) {
	case ANSWER_GONE:
		return "Gone";
	case ANSWER_NOT_FOUND:
		return "Not Found";
	case ANSWER_UNAVAILABLE:
		return "Service Unavailable";
	default:
		return "OK";
	}
}

static void
varnish_body(const struct render *render, FILE *out)
{
	const uint8_t *der = answer_mode_der(render->mode);
	char cache[RENDER_CACHE_BYTES];

	fprintf(out, "\tset resp.http.Cache-Control = \"%s\";\n",
	    render_cache_control(render, cache));
	if (render->mode == ANSWER_UNAVAILABLE)
		fprintf(out, "\tset resp.http.Retry-After = \"%" PRId64 "\";\n",
		    render->retry_after_sec);
	if (der == NULL) {
		fputs("\tset resp.body = \"\";\n", out);
		return;
	}
	fputs("\tset resp.http.Content-Type = "
	      "\"application/ocsp-response\";\n"
	      "\tset resp.body = blob.decode(HEX, encoded=\"",
	    out);
	for (size_t i = 0; i < ANSWER_DER_BYTES; i++)
		fprintf(out, "%02x", der[i]);
	fputs("\");\n", out);
}

void
render_varnish(const struct render *render, FILE *out)
{
	fprintf(out,
	    "# Made by `ocsp-sunset render`, for Varnish 7. Every answer is "
	    "made here, so there is\n"
	    "# no backend.\n"
	    "vcl 4.1;\n\n"
	    "import blob;\n\n"
	    "backend default none;\n\n"
	    "sub vcl_recv {\n");
	varnish_hosts(render, out);
	fprintf(out,
	    "\tif (req.method == \"OPTIONS\") {\n"
	    "\t\treturn (synth(200, \"OK\"));\n"
	    "\t}\n"
	    "\tif (req.method !~ \"^(GET|HEAD|POST)$\") {\n"
	    "\t\treturn (synth(405));\n"
	    "\t}\n"
	    "\tif (req.url == \"/\" && req.method != \"POST\") {\n"
	    "\t\treturn (synth(200, \"Health\"));\n"
	    "\t}\n"
	    "\treturn (synth(%u, \"OCSP\"));\n"
	    "}\n\n"
	    "sub vcl_synth {\n"
	    "\tunset resp.http.Server;\n"
	    "\tunset resp.http.X-Varnish;\n"
	    "\tif (resp.reason == \"Health\") {\n"
	    "\t\tset resp.reason = \"OK\";\n"
	    "\t\tset resp.http.Content-Type = \"text/plain\";\n"
	    "\t\tset resp.http.Cache-Control = \"no-store\";\n"
	    "\t\tset resp.body = {\"ok\n\"};\n"
	    "\t\treturn (deliver);\n"
	    "\t}\n"
	    "\tif (resp.reason != \"OCSP\") {\n"
	    "\t\tset resp.http.Allow = \"" RENDER_ALLOW "\";\n"
	    "\t\tset resp.body = \"\";\n"
	    "\t\treturn (deliver);\n"
	    "\t}\n"
	    "\tset resp.reason = \"%s\";\n",
	    render_http_status(render->mode), http_reason(render->mode));
	varnish_body(render, out);
	fputs("\treturn (deliver);\n}\n", out);
}

static void
cdn_answer(const struct render *render, FILE *out)
{
	char cache[RENDER_CACHE_BYTES];
	char name[RENDER_BODY_NAME_BYTES];
	const uint8_t *der = answer_mode_der(render->mode);

	fprintf(out, "  status         %u\n", render_http_status(render->mode));
	if (der != NULL) {
		fprintf(out,
		    "  Content-Type   application/ocsp-response\n"
		    "  body           the five bytes of %s:",
		    render_body_name(render->mode, name));
		for (size_t i = 0; i < ANSWER_DER_BYTES; i++)
			fprintf(out, " %02x", der[i]);
		fputc('\n', out);
	} else {
		fputs("  body           none\n", out);
	}
	fprintf(
	    out, "  Cache-Control  %s\n", render_cache_control(render, cache));
	if (render->mode == ANSWER_UNAVAILABLE)
		fprintf(out, "  Retry-After    %" PRId64 "\n",
		    render->retry_after_sec);
}

void
render_cdn(const struct render *render, FILE *out)
{
	fputs("For a CDN, made by `ocsp-sunset render`.\n\n"
	      "Hosts:",
	    out);
	for (size_t i = 0; i < render->hosts->count; i++)
		fprintf(out, " %s", render->hosts->text[i]);
	fputs(render->hosts->count == 0 ? " all\n\n" : "\n\n", out);
	if (render->mode == ANSWER_CLOSE) {
		fputs("A CDN answers something. To close connections, take "
		      "the name away from the CDN.\n",
		    out);
		return;
	}
	fputs("Answer every GET, HEAD and POST, whatever its path, query and "
	      "body, with\n\n",
	    out);
	cdn_answer(render, out);
	fputs("\n"
	      "and OPTIONS with status 200, no body and \"Allow: " RENDER_ALLOW
	      "\"; anything else\n"
	      "with 405 and the same.\n\n"
	      "1. Serve plain HTTP. A redirect to HTTPS breaks clients: they "
	      "ask while they are\n"
	      "   about to trust a certificate.\n"
	      "2. Make the answer at the edge (a function, a synthetic "
	      "response, an error page\n"
	      "   with this status). Nothing then is asked of an origin, and "
	      "caching does not\n"
	      "   matter. A body of bytes can mostly be given in base64.\n"
	      "3. Where only an origin can answer: any of the other "
	      "configurations beside this\n"
	      "   file, or an object with this content and this type. Take the "
	      "path and the query\n"
	      "   out of the cache key, else every certificate has an entry of "
	      "its own; object\n"
	      "   stores refuse POST, which many clients use.\n"
	      "4. Turn off what changes paths: merging of slashes, decoding of "
	      "%2F, lower case.\n"
	      "5. Turn off the log, or drop the client's address, the path and "
	      "the body from it:\n"
	      "   together they say who visited whom. Count by host, method "
	      "and hour.\n"
	      "6. Turn off challenges for robots: every client here is one.\n"
	      "7. Try it: openssl ocsp -issuer CA.pem -cert CERT.pem -url "
	      "http://HOST/\n",
	    out);
}

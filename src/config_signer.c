/* SPDX-License-Identifier: ISC */
/* How a signer is started, as far as the configuration says. */
#include "crlpress/config.h"

struct signer_config
config_signer(const struct config *config)
{
	return (struct signer_config){
	    .key_path = config->key,
	    .module_path = config->key_module,
	    .provider = config->key_provider,
	    .passphrase_path = config->passphrase_file != NULL
				   ? config->passphrase_file
				   : config->pin_source,
	    .passphrase_fd = -1,
	    .certificate_path = config->certificate,
	    .digest = config->digest,
	    .padding = config->padding,
	    .url_pattern = config->url_pattern,
	    .shard_first = config->shards.first,
	    .shard_count = config->shards.count,
	    .skew_sec = config->skew_sec,
	    .timeout_sec = (uint32_t)config->key_timeout_sec,
	    .sessions = config->key_sessions,
	    .unconfined = !config->key_sandbox,
	    .pin_mark_dir = config->state_dir,
	    .pin_mark_issuer = config->name,
	};
}

# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# A key that no network reaches. There are two machines. The one online has
# database, store and state, and no key in its configuration; the one offline
# has a configuration of [issuer] and [state], and what was carried to it: a
# copy, and back again. Load it after publish.bash, or after s3.bash.
#
# Variables are those of publish.bash and of the tests:
# shellcheck disable=SC2034,SC2154

# "2 days ago" as a time.
ago()
{
	date -u -d "$1" +%FT%TZ
}

# machines NAME [SETTING...]: an issuer of two shards, and 60 rows of it;
# $machines_new makes another store than publish_new.
machines()
{
	"${machines_new:-publish_new}" "$1" issuer.key=none "${@:2}"
	[ -n "${rowless:-}" ] || make_rows 60 --shards 2 \
	    --since "$(ago "${days_ago:-0} days ago 2 days ago")" \
	    --now "$(ago "${days_ago:-0} days ago 2 hours ago")"
	box=$work/box
	offline=$work/offline
	mkdir -p "$offline"
	offline_configure "${@:2}"
	at=$(ago '10 minutes ago')
}

# The configuration of the other machine; what is no business of its is left
# out.
offline_configure()
{
	local setting
	{
		printf '[issuer]\nname = %s\ncertificate = %s\n' "$name" \
		    "${own_certificate:-$ca/issuer.pem}"
		echo "key = ${own_key:-$ca/issuer.key}"
		for setting; do
			case $setting in
			issuer.key=*) ;;
			issuer.*)
				setting=${setting#issuer.}
				echo "${setting%%=*} = ${setting#*=}"
				;;
			esac
		done
		printf '[state]\ndir = %s\n' "$offline/state"
	} >"$offline/sign.cnf"
}

# stage [ARGUMENT...]
stage()
{
	publish --stage-tbs "$box" "$@"
}

# Carries the directory over, signs, and carries it back, whatever became of
# it. Nothing that the one machine has is to be had on the other.
sign()
{
	rm -rf "$offline/box"
	cp -r "$box" "$offline/box"
	mv "$store" "$store.away"
	mv "$conf" "$conf.away"
	run --separate-stderr env -u PGHOST -u PGPORT -u PGUSER \
	    -u PGDATABASE -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY \
	    "${under[@]}" "$CRLPRESS" sign \
	    --config "$offline/sign.cnf" --yes "$@" "$offline/box"
	mv "$store.away" "$store"
	mv "$conf.away" "$conf"
	rm -rf "$box"
	cp -r "$offline/box" "$box"
}

bring()
{
	publish --signed "$box" "$@"
}

# The three steps, at a time of their own.
press_all()
{
	rm -rf "$box"
	stage --now "$1"
	ended 0 || return 1
	sign
	ended 0 || return 1
	bring
	ended 0
}

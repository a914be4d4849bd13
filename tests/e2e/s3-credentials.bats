# SPDX-License-Identifier: ISC
#
# Where the keys of an S3 store come from: the environment, the shared files,
# a web identity, a container, an instance; in which order, when they are
# renewed, and that no secret is ever said.

bats_require_minimum_version 1.5.0
load ../lib/publish.bash
load ../lib/s3.bash

driver=${CRLPRESS%/*}/drivers/credentials
# Secrets all have this in them; nothing of it may be said.
mark=hUsH

setup()
{
	s3_no_env
	unset -v AWS_EC2_METADATA_DISABLED
	cd "$BATS_TEST_TMPDIR" || return 1
	export HOME=$PWD/home
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1
	unset -v AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE
	mkdir -p home/.aws
	role=arn:aws:iam::123456789012:role/publisher
	identity=$PWD/identity
	printf '%s-token.a-b_c\n' "$mark" >"$identity"
}

teardown()
{
	stub_stop
}

# keys STEP...: as the driver has it; 100 seconds are a hang.
keys()
{
	# shellcheck disable=SC2086 # it may be run by another
	run --separate-stderr timeout 100 $driver "$@"
	[[ $stderr != *"$mark"* ]] || {
		echo "a secret was said: $stderr"
		return 1
	}
}

# given LINE...: these, and not a word on stderr.
given()
{
	ended 0 && same "$stderr" '' stderr &&
	    same "$output" "$(printf '%s\n' "$@")" keys
}

# refused STATUS TEXT...: none, and one line with these texts.
refused()
{
	local text
	same "${lines[0]}" "$1" status || return 1
	same "$(grep -vc '^  hint: ' <<<"$stderr")" 1 'lines on stderr' || {
		echo "$stderr"
		return 1
	}
	for text in "${@:2}"; do
		has "$stderr" "$text" || return 1
	done
}

env_keys()
{
	export AWS_ACCESS_KEY_ID=ENV AWS_SECRET_ACCESS_KEY=$mark-env
}

file_keys()
{
	cat >home/.aws/credentials <<-END
		[default]
		aws_access_key_id = FILE
		aws_secret_access_key = $mark-file
		[other]
		aws_access_key_id = OTHER
		aws_secret_access_key = $mark/other+=
		aws_session_token = $mark-session
	END
}

# json_reply KEY [EXPIRATION]: what a container or an instance answers.
json_reply()
{
	printf '{\\"Code\\":\\"Success\\",\\"AccessKeyId\\":\\"%s\\",' "$1"
	printf '\\"SecretAccessKey\\":\\"%s-json\\",' "$mark"
	printf '\\"Token\\":\\"%s-{count}\\"' "$mark"
	[ -z "${2:-}" ] || printf ',\\"Expiration\\":\\"%s\\"' "$2"
	printf '}'
}

# xml_reply EXPIRATION: what STS answers.
xml_reply()
{
	printf '<A xmlns=\\"https://sts.amazonaws.com/doc/2011-06-15/\\"><R>'
	printf '<Audience>x</Audience><Credentials><AccessKeyId>STS{count}'
	printf '</AccessKeyId><SecretAccessKey>%s-xml' "$mark"
	printf '</SecretAccessKey><SessionToken>%s-sts' "$mark"
	printf '</SessionToken><Expiration>%s</Expiration>' "$1"
	printf '</Credentials></R></A>'
}

# rule PATH BODY [STATUS]: a rule of the stub.
rule()
{
	printf '{"path":"%s","do":"reply","status":%s,"body":"%s"}' "$1" \
	    "${3:-200}" "$2"
}

container()
{
	stub_start
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$stub_url/keys
}

# The three answers of an instance; $1 is when the keys end, $2 more rules.
instance()
{
	[ -n "${stub_pid:-}" ] || stub_start
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$stub_url/
	stub_rules ${2:+"$2"} '{"method":"PUT","path":"^/latest/api/token$",
	    "have":{"X-aws-ec2-metadata-token-ttl-seconds":"^21600$"},
	    "do":"reply","body":"'"$mark"'=="}' \
	    '{"method":"GET","path":"^/latest/meta-data/iam/security-'\
'credentials/$","have":{"X-aws-ec2-metadata-token":"^'"$mark"'==$"},
	    "do":"reply","body":"the-role\n"}' \
	    '{"method":"GET","path":"security-credentials/the-role$",
	    "have":{"X-aws-ec2-metadata-token":"^'"$mark"'==$"},
	    "do":"reply","body":"'"$(json_reply 'INST{count}' "$1")"'"}'
}

web_identity()
{
	stub_start
	export AWS_ENDPOINT_URL_STS=$stub_url AWS_ROLE_ARN=$role
	export AWS_WEB_IDENTITY_TOKEN_FILE=$identity
}

@test "the environment: keys, session token, its old name" {
	env_keys
	keys 0
	given "ENV $mark-env - never"
	AWS_SECURITY_TOKEN=$mark-old keys 0
	given "ENV $mark-env $mark-old never"
	AWS_SECURITY_TOKEN=$mark-old AWS_SESSION_TOKEN=$mark-new keys 0 99999
	given "ENV $mark-env $mark-new never" "ENV $mark-env $mark-new never"
	# Who refuses them does not get others; nobody is asked.
	keys 0 forget 0
	given "ENV $mark-env - never" "ENV $mark-env - never"
}

@test "the environment: half of a pair, and what no key is" {
	file_keys
	AWS_ACCESS_KEY_ID=ENV keys 0
	refused config AWS_SECRET_ACCESS_KEY \
	    'not set, although AWS_ACCESS_KEY_ID is'
	AWS_SECRET_ACCESS_KEY=$mark keys 0
	refused config AWS_ACCESS_KEY_ID 'not set, although'
	env_keys
	AWS_SECRET_ACCESS_KEY="$mark x" keys 0
	refused config AWS_SECRET_ACCESS_KEY 'a blank'
	AWS_SESSION_TOKEN=$mark$'\n'x keys 0
	refused config AWS_SESSION_TOKEN 'a blank'
	AWS_SECRET_ACCESS_KEY=$(printf "$mark%0300d" 0) keys 0
	refused config AWS_SECRET_ACCESS_KEY 'have 304 bytes, want at most 256'
	# Empty is not set.
	AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY='' keys 0
	given "FILE $mark-file - never"
}

@test "profiles: the default, the named, the configured; and their order" {
	file_keys
	keys 0
	given "FILE $mark-file - never"
	AWS_PROFILE=other keys 0
	given "OTHER $mark/other+= $mark-session never"
	AWS_DEFAULT_PROFILE=other keys 0
	given "OTHER $mark/other+= $mark-session never"
	keys -p other 0
	given "OTHER $mark/other+= $mark-session never"
	AWS_PROFILE=nobody keys -p other 0
	given "OTHER $mark/other+= $mark-session never"
	# The environment comes before the files, but not before a profile
	# that was configured.
	env_keys
	AWS_PROFILE=other keys 0
	given "ENV $mark-env - never"
	keys -p other 0
	given "OTHER $mark/other+= $mark-session never"
}

@test "profiles: other files, a home directory, keys in the config file" {
	file_keys
	mv home/.aws/credentials mine
	AWS_SHARED_CREDENTIALS_FILE=$PWD/mine keys 0
	given "FILE $mark-file - never"
	mv mine home/mine
	tilde='~'
	AWS_SHARED_CREDENTIALS_FILE=$tilde/mine keys 0
	given "FILE $mark-file - never"
	cat >home/config <<-END
		[profile other]
		aws_access_key_id = CONFIG
		aws_secret_access_key = $mark-config
	END
	AWS_CONFIG_FILE=$tilde/config keys -p other 0
	given "CONFIG $mark-config - never"
	# The credentials file goes first.
	mv home/config home/.aws/config
	mv home/mine home/.aws/credentials
	keys -p other 0
	given "OTHER $mark/other+= $mark-session never"
	unset HOME
	AWS_EC2_METADATA_DISABLED=true keys 0
	refused config 'no profile default in ~/.aws/credentials or' \
	    'or ~/.aws/config'
}

@test "profiles: what is wrong with them, by file and line" {
	export AWS_EC2_METADATA_DISABLED=true
	file_keys
	keys -p nobody 0
	refused config nobody 'no such profile in' home/.aws/credentials
	AWS_PROFILE=nobody keys 0
	refused config nobody 'no such profile in'
	printf '[default]\naws_access_key_id = A\n' >home/.aws/credentials
	keys 0
	refused config home/.aws/credentials \
	    'profile default has aws_access_key_id without' \
	    'without aws_secret_access_key'
	printf '[default]\naws_secret_access_key = %s\n' "$mark" \
	    >home/.aws/credentials
	keys 0
	refused config 'aws_secret_access_key without aws_access_key_id'
	printf '[default]\n\n%s\n' "$mark" >home/.aws/credentials
	keys 0
	refused config 'home/.aws/credentials: credentials: line 3: neither'
	printf '[default]\naws_secret_access_key = %s %s\n' $mark $mark \
	    >home/.aws/credentials
	keys 0
	refused config 'line 2: a blank'
	head -c 1100000 /dev/zero | tr '\0' '\n' >home/.aws/credentials
	keys 0
	refused config 'too large, want at most 1048576 bytes'
	rm home/.aws/credentials
	mkdir home/.aws/credentials
	keys 0
	refused config 'cannot be read: Is a directory'
}

@test "profiles: what is not done is refused by name" {
	local setting
	for setting in 'role_arn = arn:aws:iam::1:role/x' 'sso_session = x' \
	    'sso_start_url = https://x'; do
		cat >home/.aws/config <<-END
			[default]
			$setting
			[sso-session x]
			region = y
		END
		# Not even with keys beside it.
		file_keys
		keys 0
		refused config "${setting%% *} of profile default" \
		    'is not supported' home/.aws/config:2
		has "$stderr" '  hint: '
	done
	rm home/.aws/credentials
	printf '[default]\ncredential_process = touch %s/ran\n' "$PWD" \
	    >home/.aws/config
	keys 0
	refused config 'credential_process of profile default'
	[ ! -e ran ]
	file_keys
	keys 0
	given "FILE $mark-file - never"
}

@test "the region: environment, then profile" {
	keys region
	given none
	printf '[default]\nregion = eu-west-3\n' >home/.aws/config
	printf '[profile b]\nregion = us-west-2\n' >>home/.aws/config
	keys region
	given eu-west-3
	keys -p b region
	given us-west-2
	AWS_DEFAULT_REGION=eu-north-1 keys region
	given eu-north-1
	AWS_DEFAULT_REGION=eu-north-1 AWS_REGION=eu-south-1 keys -p b region
	given eu-south-1
	keys -r here region
	given here
	echo x >home/.aws/config
	keys region
	refused config 'line 1'
}

@test "nobody has keys: where was looked" {
	keys 0
	refused config 'none found: not in the environment;' \
	    'no profile default in' \
	    "$HOME/.aws/credentials" 'no container' \
	    'no instance metadata at http://127.0.0.1:1'
	has "$stderr" 'hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
	AWS_EC2_METADATA_DISABLED=TRUE keys 0
	refused config 'instance metadata disabled'
}

@test "web identity: the token is sent, the keys are taken and renewed" {
	web_identity
	# An hour; a quarter of one before its end there are others.
	stub_rules "$(rule '^/$' "$(xml_reply '{now+3600}')")"
	AWS_ROLE_SESSION_NAME='a b' keys 0 2600 2800
	given "STS1 $mark-xml $mark-sts ends" "STS1 $mark-xml $mark-sts ends" \
	    "STS2 $mark-xml $mark-sts ends"
	same "$(grep -o '"form": "[^"]*"' "$stub/log" | head -n 1)" \
	    '"form": "Action=AssumeRoleWithWebIdentity&Version=2011-06-15'\
'&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpublisher'\
'&RoleSessionName=a%20b&WebIdentityToken='"$mark"'-token.a-b_c"' form
	# Before the files, but not before a configured profile.
	file_keys
	keys 0
	has "$output" STS
	keys -p default 0
	given "FILE $mark-file - never"
	env_keys
	keys 0
	given "ENV $mark-env - never"
}

@test "web identity: by a profile" {
	stub_start
	export AWS_ENDPOINT_URL_STS=$stub_url/
	stub_rules "$(rule '^/$' "$(xml_reply '{now+3600}')")"
	cat >home/.aws/config <<-END
		[profile pod]
		role_arn = $role
		role_session_name = mine
		web_identity_token_file = $identity
	END
	keys -p pod 0
	given "STS1 $mark-xml $mark-sts ends"
	grep -q RoleSessionName=mine "$stub/log"
}

@test "web identity: refusals and replies that are none" {
	local body
	web_identity
	stub_rules "$(rule '^/$' '<ErrorResponse><Error><Code>AccessDenied'\
'</Code><Message>Not &lt;you&gt;</Message></Error></ErrorResponse>' 403)"
	keys 0
	refused failed "$stub_url/" 'have status 403 AccessDenied: Not <you>'
	same "$(stub_count POST '^/$')" 1 requests
	for body in '' "$mark" '<A/>' \
	    '<A><AccessKeyId>x</AccessKeyId></A>' \
	    '<!DOCTYPE a [<!ENTITY b \"bb\">]><A>&b;</A>' \
	    "$(xml_reply 'tomorrow')" \
	    "$(xml_reply '{now+60}' | sed 's/xml</ x</')"; do
		stub_rules "$(rule '^/$' "$body")"
		keys 0
		refused failed "$stub_url/"
	done
	env -u AWS_ROLE_ARN "$driver" 0 >out 2>err || true
	has "$(<err)" 'AWS_ROLE_ARN: credentials: not set'
	: >"$identity"
	keys 0
	refused config "$identity" 'is empty'
	rm "$identity"
	keys 0
	refused config "$identity" 'No such file'
}

@test "web identity: the token goes to this machine or by TLS" {
	local url
	web_identity
	for url in http://example.com http://127.0.0.1.example.com \
	    http://user@127.0.0.1 ftp://127.0.0.1 127.0.0.1 \
	    http://127.0.0.1:1@example.com http://10.0.0.1:80; do
		AWS_ENDPOINT_URL_STS=$url keys 0
		refused config AWS_ENDPOINT_URL_STS 'cannot be sent there'
	done
}

@test "web identity: by TLS to whom the CA file names" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key.pem -out ca.pem -days 2 -subj /CN=127.0.0.1 \
	    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
	cat key.pem ca.pem >both.pem
	stub_start --tls "$PWD/both.pem"
	export AWS_ENDPOINT_URL_STS=$stub_url AWS_ROLE_ARN=$role
	export AWS_WEB_IDENTITY_TOKEN_FILE=$identity
	stub_rules "$(rule '^/$' "$(xml_reply '{now+3600}')")"
	keys -c ca.pem 0
	given "STS1 $mark-xml $mark-sts ends"
	keys 0
	refused failed "$stub_url" 'no answer'
	same "$(stub_count POST /)" 1 requests
}

@test "container: the full URI with a token, from a file or not" {
	container
	stub_rules '{"path":"^/keys$","have":{"Authorization":"^Bearer '\
"$mark"'$"},"do":"reply","body":"'"$(json_reply CONT)"'"}'
	keys 0
	refused failed "$stub_url/keys" 'have status 404, want 200'
	AWS_CONTAINER_AUTHORIZATION_TOKEN="Bearer $mark" keys 0
	given "CONT $mark-json $mark-1 never"
	stub_rules '{"path":"^/keys$","have":{"Authorization":"^'\
"$mark"'-token.a-b_c$"},"do":"reply",
	    "body":"'"$(json_reply CONT '{now+3600}')"'"}'
	AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$identity \
	    AWS_CONTAINER_AUTHORIZATION_TOKEN=no keys 0
	given "CONT $mark-json $mark-1 ends"
	AWS_CONTAINER_AUTHORIZATION_TOKEN="$mark"$'\r\nX: y' keys 0
	refused config AWS_CONTAINER_AUTHORIZATION_TOKEN 'no header has'
	# The files go first.
	file_keys
	keys 0
	given "FILE $mark-file - never"
}

@test "container: only from near, or by TLS" {
	local uri
	for uri in http://example.com/ http://169.254.170.3/x \
	    http://169.254.170.2:80@example.com/ file:///etc/passwd \
	    http://localhost.example.com; do
		AWS_CONTAINER_CREDENTIALS_FULL_URI=$uri keys 0
		refused config AWS_CONTAINER_CREDENTIALS_FULL_URI \
		    'not fetched from there'
	done
	# As far as to a port where nobody is.
	for uri in http://localhost:1/x http://127.8.8.8:1/ 'http://[::1]:1/' \
	    https://127.0.0.1:1/; do
		AWS_CONTAINER_CREDENTIALS_FULL_URI=$uri keys 0
		refused failed "$uri" 'no answer'
	done
	# No proxy on the way.
	container
	stub_rules "$(rule '^/keys$' "$(json_reply CONT)")"
	http_proxy=http://127.0.0.1:1 keys 0
	given "CONT $mark-json $mark-1 never"
}

@test "container, instance: the addresses, where there is no network" {
	unshare -rn true 2>/dev/null || skip 'no network namespace of our own'
	driver="unshare -rn $driver"
	AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=x keys 0
	refused failed http://169.254.170.2/x 'no answer'
	AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/x keys 0
	refused failed http://169.254.170.23/v1/x 'no answer'
	unset AWS_EC2_METADATA_SERVICE_ENDPOINT
	keys 0
	refused config 'no instance metadata at http://169.254.169.254: '
	AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6 keys 0
	refused config 'no instance metadata at http://[fd00:ec2::254]: '
}

@test "container: replies that are none" {
	local body
	container
	for body in '' '{}' 'x' '{\"AccessKeyId\":\"A\"}' \
	    '{\"AccessKeyId\":\"A\",\"SecretAccessKey\":7}' \
	    '{\"Code\":\"Failed\",\"AccessKeyId\":\"A\",'\
'\"SecretAccessKey\":\"'"$mark"'\"}' \
	    "$(json_reply 'A B')" "$(json_reply A soon)" \
	    "$(json_reply A 2026-11-22T05:09:49+01:00)"; do
		stub_rules "$(rule '^/keys$' "$body")"
		keys 0
		refused failed "$stub_url/keys"
	done
	# More than is read.
	head -c 70000 /dev/zero >zeros
	stub_rules '{"do":"reply","body_file":"'"$PWD/zeros"'"}'
	keys 0
	refused failed "$stub_url/keys" 'no answer'
	# Nobody is followed elsewhere with the token.
	stub_rules '{"path":"keys","do":"reply","status":302,
	    "headers":{"Location":"/other"}}' \
	    "$(rule other "$(json_reply A)")"
	keys 0
	refused failed "$stub_url/keys" 'have status 302'
	same "$(stub_count GET other)" 0 'requests elsewhere'
}

@test "instance: a token, a role, its keys" {
	instance '{now+3600}'
	keys 0
	given "INST1 $mark-json $mark-1 ends"
	same "$(stub_count GET .)" 2 GETs
	same "$(stub_count PUT .)" 1 PUTs
}

@test "instance: only where there is no container" {
	container
	instance '{now+3600}' "$(rule '^/keys$' "$(json_reply CONT)")"
	keys 0
	given "CONT $mark-json $mark-1 never"
	same "$(stub_count PUT .)" 0 'questions for a token'
}

@test "instance: never without the token of version 2" {
	stub_start
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$stub_url
	stub_rules '{"method":"GET","path":"credentials/$","do":"reply",
	    "body":"the-role"}' "$(rule the-role "$(json_reply INST)")"
	keys 0
	refused config 'none found' \
	    "no instance metadata at $stub_url: status 404"
	same "$(stub_count GET .)" 0 GETs
}

@test "instance: a role that would lead elsewhere, and a token that is none" {
	local role
	instance '{now+3600}'
	for role in '../../user-data' 'a/b' '' '?' 'a b'; do
		instance '{now+3600}' '{"path":"credentials/$","do":"reply",
		    "body":"'"$role"'"}'
		keys 0
		refused failed 'no role'
	done
	same "$(stub_count GET 'credentials/.+')" 0 'GETs of keys'
	instance '{now+3600}' '{"method":"PUT","do":"reply",
	    "body":"a\r\nX: y"}'
	keys 0
	refused failed 'the reply is no token'
}

@test "instance: a fault that heals is not the end" {
	instance '{now+3600}' '{"times":1,"do":"reply","status":503},
	    {"path":"the-role","times":3,"do":"reset"},
	    {"path":"credentials/$","times":1,"do":"reply","status":500}'
	keys 0
	given "INST1 $mark-json $mark-1 ends"
}

@test "renewal: a service that is gone is a warning while the keys hold" {
	instance '{now+1200}' '{"skip":3,"do":"reply","status":403}'
	# 20 minutes: not yet, then in vain, then not again at once, then in
	# vain at the end.
	keys 0 290 320 350 1199 1201
	same "${lines[0]}" "INST1 $mark-json $mark-1 ends" first
	same "${lines[4]}" "INST1 $mark-json $mark-1 ends" last
	same "${lines[5]}" failed 'after the end'
	# The service says no each time it is asked: twice, and at the end.
	same "$(stub_count PUT .)" 4 'questions'
	same "$(grep -c '^warning: ' <<<"$stderr")" 2 warnings
	has "$stderr" 'the present keys are used to their end'
	# It comes back.
	instance '{now+1200}' '{"skip":3,"times":1,"do":"reply","status":403}'
	keys 0 320 390 400
	same "${lines[1]}" "INST1 $mark-json $mark-1 ends" second
	same "${lines[2]}" "INST2 $mark-json $mark-2 ends" third
	same "${lines[3]}" "INST2 $mark-json $mark-2 ends" fourth
}

@test "renewal: what the store refuses is asked for anew" {
	instance '{now+9999}'
	keys 0 forget 0 0 forget 0
	given "INST1 $mark-json $mark-1 ends" "INST2 $mark-json $mark-2 ends" \
	    "INST2 $mark-json $mark-2 ends" "INST3 $mark-json $mark-3 ends"
	# And no others are used instead.
	instance '{now+9999}' '{"skip":3,"do":"reply","status":403}'
	keys 0 forget 0
	same "${lines[1]}" failed second
	has "$stderr" 'not renewed: no instance metadata'
}

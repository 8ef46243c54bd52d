#!/bin/sh
# Installs the missing Debian packages of conf/packages: setup.sh SET... (build, run, test, lint, fuzz, bench, corpus).
# Asks nothing; does nothing when none is missing.
set -eu

list=$(dirname "$0")/packages

say() { echo "okul: $*" >&2; }

wanted=$(for set in "$@"; do awk -v set="$set" '$1 == set { print $2 }' "$list"; done | sort -u)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	say "this is not Debian: install the packages that conf/packages lists yourself"
	exit 0
fi

# shellcheck disable=SC2086 # one word a name
present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
	sed -n 's/^installed //p' || true)
missing=$(for package in $wanted; do echo "$present" | grep -qxF "$package" || printf ' %s' "$package"; done)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	root=
elif command -v sudo >/dev/null; then
	root=sudo
else
	say "some packages are missing, and there is no sudo. Run as root:"
	say "    apt-get install --no-install-recommends$missing"
	exit 1
fi

say "installing${root:+ with sudo}:$missing"
$root apt-get -q update
# SYSTEMD_OFFLINE: the installation starts no service; Debian's nginx would take port 80.
# shellcheck disable=SC2086 # one word a name
$root env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 \
	apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends $missing

# Only those installed just now are disabled, not what the machine serves already.
for package in nginx apache2 postgresql-15 pgbouncer; do
	case "$missing " in
	*" $package "*)
		service=${package%-15}
		[ -d /run/systemd/system ] || $root invoke-rc.d --quiet "$service" stop || true
		$root update-rc.d "$service" disable
		say "the $service service is disabled; \`systemctl enable --now $service\` enables it"
		;;
	esac
done

#!/bin/sh
# Installs the Debian packages of conf/packages that are missing: setup.sh SET... (build, run, test, lint, fuzz, bench, corpus).
# Asks nothing, and does nothing when all of them are there.
set -eu

list=$(dirname "$0")/packages

say() { echo "okul: $*" >&2; }

wanted=$(for set in "$@"; do awk -v set="$set" '$1 == set { print $2 }' "$list"; done | sort -u)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	say "this is no Debian: nothing is installed; what is needed stands in conf/packages"
	exit 0
fi

# shellcheck disable=SC2086 # the names are words of their own
present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
	sed -n 's/^installed //p' || true)
missing=$(for package in $wanted; do echo "$present" | grep -qxF "$package" || printf ' %s' "$package"; done)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	root=
elif command -v sudo >/dev/null; then
	root=sudo
else
	say "these packages are missing, and there is neither root nor sudo to install them. As root, say:"
	say "    apt-get install --no-install-recommends$missing"
	exit 1
fi

say "installing what is missing${root:+ (with sudo)}:$missing"
$root apt-get -q update
# SYSTEMD_OFFLINE: no service of a package is started by its installation. Debian's nginx would take port 80.
# shellcheck disable=SC2086 # the names are words of their own
$root env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 \
	apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends $missing

# Not in place of what the machine serves already: only what was installed a moment ago is turned off.
for web in nginx apache2; do
	case "$missing " in
	*" $web "*)
		[ -d /run/systemd/system ] || $root invoke-rc.d --quiet "$web" stop || true
		$root update-rc.d "$web" disable
		say "the system's own $web service is left off; \`systemctl enable --now $web\` turns it on"
		;;
	esac
done

#!/bin/sh
# Makes the certificates with which the machines know each other: certificates.sh FOLDER NAME=ADDRESS...
#
#     conf/cluster/certificates.sh certificates db1=192.0.2.11 db2=192.0.2.12 db3=192.0.2.13 app1=192.0.2.21 app2=192.0.2.22
#
# FOLDER/ca.key signs: keep it on no machine of the cluster. FOLDER/NAME/ is for one machine, to be copied to its /etc/ssl/okul.
# Running it again keeps the authority and the certificates that exist: so a machine is added, and one whose folder was removed
# gets a new certificate. They are valid for ten years: nobody trusts them but these machines.
set -eu
umask 077

[ $# -ge 2 ] || { sed -n 's/^# \{0,1\}//; 2,/^$/p' "$0" >&2; exit 64; }
folder=$1
shift
mkdir -p "$folder"
cd "$folder"

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

if [ ! -e ca.key ]; then
	new_key ca.key
	openssl req -x509 -new -key ca.key -sha256 -days 3652 -subj "/CN=okul cluster" -out ca.crt \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
fi

for machine in "$@"; do
	name=${machine%%=*}
	address=${machine#*=}
	if [ -e "$name/machine.crt" ]; then
		continue
	fi
	mkdir -p "$name"
	new_key "$name/machine.key"
	# For both ends of a connection: a machine is a server to some and a client to others. okul-cluster is the name that nginx checks,
	# which cannot check addresses.
	cat >"$name/extensions" <<-END
		basicConstraints=critical,CA:FALSE
		keyUsage=critical,digitalSignature
		extendedKeyUsage=serverAuth,clientAuth
		subjectAltName=DNS:$name,DNS:okul-cluster,IP:$address,IP:127.0.0.1
	END
	openssl req -new -key "$name/machine.key" -subj "/CN=$name" |
		openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -sha256 -days 3652 -extfile "$name/extensions" \
			-out "$name/machine.crt" 2>/dev/null
	rm "$name/extensions"
	cp ca.crt "$name/ca.crt"
	chmod 644 "$name/ca.crt" "$name/machine.crt"
	chmod 640 "$name/machine.key"
	echo "$name: $folder/$name"
done

"""OpenStack Swift with its S3 API on 127.0.0.1, of Debian's python3-swift: it verifies SigV4 signatures of headers and queries.

	/usr/bin/python3 s3_swift.py FOLDER PORT KEY_ID SECRET

FOLDER keeps the objects, and is made where it is missing. The four servers of Swift run until this process gets SIGTERM.
They need no root, no configuration below /etc, no memcached, and two seconds to start. The ports PORT to PORT + 3 are used.
"""

import contextlib
import ctypes
import getpass
import os
import signal
import sys

del sys.path[0]  # this folder has a cgi.py, and so has the standard library

SERVERS = ("proxy", "account", "container", "object")

BASIC = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
workers = 0
log_level = ERROR
log_address = {folder}/no-syslog
"""

STORAGE = BASIC + """
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
fallocate_reserve = 0
"""

PROXY = BASIC + """
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth copy slo dlo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
error_suppression_interval = 0
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
auth_pipeline_check = false
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{name} = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def make_folder(folder, port, key, secret):
    from swift.common.ring import RingBuilder

    os.makedirs(folder + "/devices/d1", exist_ok=True)
    write(folder + "/swift.conf", "[swift-hash]\nswift_hash_path_suffix = okul\nswift_hash_path_prefix = okul\n")
    account, name = key.split(":")
    user = getpass.getuser()
    write(folder + "/proxy.conf", PROXY.format(port=port, user=user, folder=folder, account=account, name=name, secret=secret))
    for i, server in enumerate(SERVERS[1:], 1):
        write(f"{folder}/{server}.conf", STORAGE.format(port=port + i, user=user, folder=folder, name=server))
        builder = RingBuilder(4, 1, 1)
        builder.add_dev({"region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "port": port + i, "device": "d1"})
        builder.rebalance()
        builder.get_ring().save(f"{folder}/{server}.ring.gz")


class NoCache:
    """Stands for memcached, without which tempauth answers nothing: keeps nothing."""

    def get(self, *_, **__):
        return None

    set = incr = decr = delete = get


def serve(folder, server):
    from swift.common.wsgi import run_wsgi

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: none outlives the parent
    os._exit(run_wsgi(f"{folder}/{server}.conf", server + "-server") or 0)


def main():
    folder, port, key, secret = os.path.abspath(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    os.makedirs(folder, exist_ok=True)
    import swift.common.utils as utils

    utils.SWIFT_CONF_FILE = folder + "/swift.conf"
    utils.cache_from_env = lambda *_, **__: NoCache()
    make_folder(folder, port, key, secret)
    children = []
    for server in SERVERS:
        child = os.fork()
        if child == 0:
            serve(folder, server)
        children.append(child)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        os.wait()
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()

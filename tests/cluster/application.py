"""Two application machines behind one nginx, configured by conf/cluster/nginx.conf, with the same keys."""

import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess

from database import CONF, PASSWORD, POSTGRES, ROOT, USER, changed, own
from network import children, is_alive, kill, until
from writers import DONE, REFUSED, UNSURE, Writer

BUILD = (ROOT / os.environ.get("OKUL_BUILD", "build")).resolve()
NAME = "okul.example.org"
PASSPHRASE = "a test of several machines"
SHARED = ("common.conf", "locations.conf", "error.conf", "params.conf", "files.conf")


class Nginx:
    """nginx on one machine. `keep` are the parts of conf/cluster/nginx.conf that it runs: names of the comments `# ---- NAME`."""

    def __init__(self, machine, data):
        self.machine, self.home, self.process = machine, machine.home / "nginx", None
        self.home.mkdir()
        paths = {"/run/okul": f"{data}/run", "/var/lib/okul": str(data), "/usr/local/lib/okul/share/nginx/": f"{self.home}/",
                 "/usr/local/lib/okul/share": f"{BUILD}/share"}
        for name in SHARED:
            text = (BUILD / "share/nginx" / name).read_text()
            for old, new in paths.items():
                text = text.replace(old, new)
            (self.home / name).write_text(text)

    def configure(self, address_of_application, front_only=False):
        text = (CONF / "nginx.conf").read_text()
        if front_only:
            text = text[:text.index("# ---- the application server of this machine")]
        else:
            text = changed(text, [
                ("listen 192.0.2.21:8443", f"listen {address_of_application}:8443"),
                ("set_real_ip_from 192.0.2.22;", "set_real_ip_from 192.0.2.22; set_real_ip_from 192.0.2.2;")])
        text = re.sub(r"(?m)^\s*listen \[::\].*\n", "", text)
        text = changed(text, [
            # the machines write logs at once here
            (" buffer=64k flush=1s", ""), ("listen 80", f"listen {self.machine.address}:8080"), ("listen 443", f"listen {self.machine.address}:8440"),
            ("/usr/local/lib/okul/share/nginx/", f"{self.home}/"), ("/etc/ssl/okul", f"{self.machine.home}/ssl"),
            (f"/etc/letsencrypt/live/{NAME}", f"{self.machine.network.home}/site"), ("/var/log/nginx", str(self.home)),
            ("okul-error.log alert", "okul-error.log info"),
            # one client makes all requests here
            ("limit_conn okul_by_client 50;", "")])
        user = "user root;" if os.geteuid() == 0 else ""
        folders = " ".join(f"{kind}_temp_path {self.home}/{kind};" for kind in ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        (self.home / "nginx.conf").write_text(f"daemon off; {user} pid {self.home}/pid; error_log {self.home}/main.log;\n"
                                              f"events {{ worker_connections 4096; }}\nhttp {{ access_log off; {folders}\n"
                                              f"{self.machine.network.text(text)} }}\n")

    def start(self):
        self.process = self.machine.popen(["/usr/sbin/nginx", "-p", self.home, "-e", self.home / "main.log", "-c", self.home / "nginx.conf"],
                                          log="nginx.log")


class Haproxy:
    """HAProxy on an application machine. url() is a way to the primary."""

    def __init__(self, cluster, machine):
        self.cluster, self.machine, self.process = cluster, machine, None
        # without namespaces both machines have one 127.0.0.1
        self.address = "127.0.0.1" if machine.network.real else machine.address
        text = machine.network.text(changed((CONF / "haproxy.cfg").read_text(), [
            ("bind 127.0.0.1:", f"bind {self.address}:"), ("/etc/ssl/okul", f"{machine.home}/ssl"), ("/run/haproxy/", f"{machine.home}/")]))
        if os.geteuid() != 0:
            text = re.sub(r"(?m)^\t(user|group) .*\n", "", text)
        (machine.home / "haproxy.cfg").write_text(text)

    def start(self):
        self.process = self.machine.popen(["haproxy", "-f", self.machine.home / "haproxy.cfg"], log="haproxy.log")
        until(lambda: self.machine.succeeds([POSTGRES / "pg_isready", "-h", self.address, "-q"]), "HAProxy to find the primary")

    def url(self, role):
        return (f"postgresql://{role}:{PASSWORD}@{self.address}:5432/okul?target_session_attrs=read-write&sslmode=verify-ca&"
                f"sslrootcert={self.machine.home}/ssl/ca.crt")


class Pgbouncer(Haproxy):
    """PgBouncer in front of HAProxy."""

    def __init__(self, cluster, machine):
        super().__init__(cluster, machine)
        self.home = machine.home / "pgbouncer"
        self.home.mkdir()
        (self.home / "userlist.txt").write_text(f'"okul" "{PASSWORD}"\n')
        (self.home / "pgbouncer.ini").write_text(changed((CONF / "pgbouncer.ini").read_text(), [
            ("host=127.0.0.1", f"host={self.address}"), ("/etc/pgbouncer", str(self.home)), ("/run/okul-pgbouncer", str(self.home)),
            ("/var/log/postgresql", str(self.home)), ("/etc/ssl/okul", f"{machine.home}/ssl"), ("unix_socket_group = okul", "")]))
        own(self.home)
        for file in self.home.iterdir():
            own(file)

    def start(self):
        super().start()
        self.machine.popen(["pgbouncer", "-q", self.home / "pgbouncer.ini"], USER, "pgbouncer.log")

    def url(self, role):
        return f"postgresql://okul:{PASSWORD}@/okul?host={self.home}&port=6432" if role == "okul" else super().url(role)


class Application:
    """One application machine: `okulctl serve` and its nginx."""

    def __init__(self, machine, database, proxy=None, **settings):
        self.machine, self.name, self.data, self.serve = machine, machine.name, machine.home / "data", None
        self.proxy = proxy
        self.data.mkdir(mode=0o750)
        own(self.data)      # root acts as its owner, as on a real machine
        self.nginx = Nginx(machine, self.data)
        self.nginx.configure(machine.address)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("OKUL_")} | {
            "OKUL_DATA": str(self.data), "OKUL_DATABASE": database, "OKUL_BASE_URL": f"https://{NAME}", "OKUL_DELIVERY": "x-accel",
            "OKUL_LIMITS": "off", "OKUL_RETIRE_AFTER": "0", "OKUL_ACCESS_LIFE": "86400", "OKUL_CODE_PAUSE": "0",
            "OKUL_PASSPHRASE": PASSPHRASE} | settings

    def okulctl(self, *words, **environment):
        return self.machine.run([BUILD / "okulctl", *words], env=self.environment | environment)

    def start(self):
        if self.proxy:
            self.proxy.start()
        self.serve = self.machine.popen([BUILD / "okulctl", "serve"], log="okul.log", env=self.environment)
        self.nginx.start()

    def workers(self):
        """{process id: program} of the workers that run."""
        found = {}
        for pid in children(self.serve.pid):
            with contextlib.suppress(OSError):
                name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
                if name.endswith(".fcgi"):
                    found[pid] = name
        return found

    def log(self):
        return (self.machine.home / "okul.log").read_text()

    def crash(self):
        """kill -9 of all that runs there."""
        victims = self.machine.pids()
        kill(victims)
        self.serve.wait(10)
        self.nginx.process.wait(10)
        until(lambda: not any(map(is_alive, victims)), "the killed processes to be gone")


class Site:
    """The two machines, and the nginx in front of them. `proxy`: Haproxy or Pgbouncer; None: libpq looks for the primary."""

    def __init__(self, cluster, network, proxy=None, **settings):
        self.network, self.applications = network, []
        for name in ("app1", "app2"):
            way = proxy(cluster, network.machines[name]) if proxy else None
            self.applications.append(Application(network.machines[name], way.url("okul") if way else cluster.address("okul", name), way,
                                                 **settings))
        self.front = Nginx(network.machines["front"], network.home)
        self.front.configure(None, front_only=True)
        (network.home / "site").mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", network.home / "site/privkey.pem",
                        "-out", network.home / "site/fullchain.pem"], check=True, capture_output=True)
        self.tls = ssl.create_default_context(cafile=network.home / "site/fullchain.pem")
        # As README has it: the keys of the first machine go to the second, before it makes its own.
        first, second = self.applications
        migrate = cluster.address("okul_migrate", "app1")
        first.okulctl("migrate", OKUL_DATABASE=migrate)
        (network.home / "keys.sealed").write_text(first.okulctl("key", "export", "-"))
        second.okulctl("key", "import", network.home / "keys.sealed")
        second.okulctl("migrate", OKUL_DATABASE=migrate)

    def start(self):
        for application in self.applications:
            application.start()
        self.front.start()
        until(lambda: Client(self).get("/health")[0] == 200, lambda: f"a healthy service: {Client(self).get('/health')}", 30)

    def admins(self, count):
        """Access tokens of new admins, one each: created and logged in as people are."""
        addresses = [f"admin{n}.{secrets.token_hex(3)}@example.com" for n in range(count)]
        return [self.login(address) for address in addresses]

    def login(self, address):
        self.applications[0].okulctl("user", "add", address, "--role", "admin")
        client = Client(self)
        status, body = client.post("/auth/otp/request", {"email": address, "language": "en"})
        assert status == 200, body
        code = until(lambda: self.code(address), f"the mail to {address}")
        status, body = client.post("/auth/otp/verify", {"email": address, "code": code})
        assert status == 200, body
        return body["data"]["accessToken"]

    def code(self, address):
        """The code in the mail to an address, whichever machine sent it."""
        for application in self.applications:
            for mail in (application.data / "mail").glob("*.eml"):
                text = mail.read_text()
                if address in text and (found := re.search(r"(?m)^(\d{6})\r?$", text)):
                    return found[1]
        return None

    def stop(self):
        for process in [self.front.process] + [a.nginx.process for a in self.applications] + [a.serve for a in self.applications]:
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for application in self.applications:
            if application.serve:
                application.serve.wait(30)


class Client:
    """One connection to the front, opened again when it broke."""

    def __init__(self, site, token=None):
        self.site, self.token, self.connection = site, token, None

    def open(self):
        wire = socket.create_connection((self.site.front.machine.address, 8440), timeout=40)
        self.connection = http.client.HTTPConnection(NAME)
        self.connection.sock = self.site.tls.wrap_socket(wire, server_hostname=NAME)

    @staticmethod
    def wire(address, port):
        """A connection by TLS to somebody whose certificate is not checked."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection((address, port), timeout=40))

    def send(self, method, path, body=None):
        """(status, JSON of the body); status 0 where no response came."""
        headers = {"Host": NAME} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        if body is not None:
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            if self.connection is None or self.connection.sock is None:
                self.open()
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            text = response.read()
            status = response.status
        except (OSError, http.client.HTTPException) as problem:
            self.connection = None
            return 0, repr(problem)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, body):
        return self.send("POST", path, body)


class HttpWriter(Writer):
    """Creates courses by the API. Its key is their title."""

    def __init__(self, machine, number, site, token):
        super().__init__(machine, number)
        self.client, self.ids = Client(site, token), {}

    def write(self, key):
        status, body = self.client.post("/courses", {"title": key, "language": "en"})
        if status == 201:
            self.ids[key] = body["data"]["id"]
            return DONE
        if status == 503 and isinstance(body, dict) and set(body) == {"isSuccess", "statusCode", "data", "errors", "timestamp"} and \
                body["statusCode"] == 503 and body["isSuccess"] is False and body["errors"]:
            self.fault = body["errors"][0]
            return UNSURE if "check whether it was made" in self.fault else REFUSED
        self.fault = f"{status} {body}"
        return self.fault[:200]

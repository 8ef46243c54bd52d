"""Apache as conf/apache/ sets it up, in front of the programs that an `okulctl serve` keeps running."""

import os
import subprocess

from okul import BUILD, ROOT, until

APACHE = "/usr/sbin/apache2"
MODULES = ("mpm_event authz_core env setenvif headers unique_id alias proxy proxy_fcgi buffer reqtimeout xsendfile")

CONFIGURATION = """
ServerRoot {home}
DefaultRuntimeDir {home}
PidFile {home}/pid
Mutex file:{home}
Listen 127.0.0.1:{port}
{modules}
{user}
ServerName okul.example
ServerTokens Prod
TraceEnable Off
{error_log}
<VirtualHost *:{port}>
	DocumentRoot {home}/root
	{logs}
	Include {home}/locations.conf
</VirtualHost>
"""


def logs(home):
    """The lines of the shipped virtual host about logs, for that folder."""
    host = (ROOT / "conf/apache/okul.conf").read_text().split("<VirtualHost *:443>")[-1]
    return "\n".join(line for line in host.splitlines() if "Log" in line and "#" not in line).replace(
        "${APACHE_LOG_DIR}", str(home))


class Apache:
    """One on a port of its own, for the server's sockets and data."""

    def __init__(self, server):
        self.server, self.port, self.home = server, server.port, server.home / "apache"
        (self.home / "root").mkdir(parents=True, exist_ok=True)
        text = (ROOT / "conf/apache/locations.conf").read_text()
        for old, new in (("/run/okul", f"{server.data}/run"), ("/var/lib/okul", server.data),
                         ("/usr/local/lib/okul/share", f"{BUILD}/share"),
                         ("LimitRequestBody 104857600", f"LimitRequestBody {self.upload_limit()}")):
            assert old in text, old
            text = text.replace(old, str(new))
        (self.home / "locations.conf").write_text(text)
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES.split())
        # Who starts it as root has the programs' files as root's too, and Apache's processes get at them by their group.
        user = "User www-data\nGroup root" if os.geteuid() == 0 else ""
        server.home.chmod(0o710)
        server.data.chmod(0o750)
        (self.home / "apache.conf").write_text(CONFIGURATION.format(
            home=self.home, port=self.port, modules=modules, user=user, logs=logs(self.home),
            error_log=f"ErrorLog {self.home}/start.log"))
        self.process = subprocess.Popen([APACHE, "-f", str(self.home / "apache.conf"), "-D", "FOREGROUND"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=os.environ | {"TZ": "UTC"})
        until(self.is_up, "Apache", 20)

    def upload_limit(self):
        return int(self.server.environment.get("OKUL_UPLOAD_REQUEST_LIMIT", "100")) << 20

    def is_up(self):
        assert self.process.poll() is None, f"Apache ended: {self.process.stderr.read().decode()}{self.told()}"
        return (self.home / "pid").exists() and self.server.listens(self.port)

    def stop(self):
        self.process.terminate()
        self.process.stderr.close()
        self.process.wait(30)

    def told(self):
        """What it wrote about itself and about requests."""
        return "".join(path.read_text() for path in self.home.glob("*.log"))

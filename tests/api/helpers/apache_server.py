"""Apache as conf/apache/ sets it up, in front of the programs that an `okulctl serve` keeps running."""

import os
import re
import subprocess

from helpers.server import BUILD, ROOT, until

APACHE = "/usr/sbin/apache2"
CONFIGURATION = """
ServerRoot {home}
DefaultRuntimeDir {home}
PidFile {home}/pid
Mutex file:{home}
Listen 127.0.0.1:{port}
{modules}
{user}
TypesConfig /etc/mime.types
ServerName okul.example
ServerTokens Prod
TraceEnable Off
ErrorLog {home}/start.log
{server}
<VirtualHost *:{port}>
	DocumentRoot {home}/root
	{host}
</VirtualHost>
"""


def log_lines(home):
    """The log directives of the shipped virtual host, with their files in that folder."""
    host = (ROOT / "conf/apache/okul.conf").read_text().split("<VirtualHost *:443>")[-1]
    return "\n\t".join(re.findall(r"(?m)^\t((?:Custom|Error)Log.*)$", host)).replace("${APACHE_LOG_DIR}", str(home))


class Apache:
    """An Apache on its own port in front of a server's sockets and data, configured by share/apache/locations.conf."""

    def __init__(self, server, port=None):
        self.server, self.port, self.home = server, port or server.port, server.home / "apache"
        (self.home / "root").mkdir(parents=True, exist_ok=True)
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in self.modules().split())
        # Started as root, the programs' files belong to root too; the processes of Apache access them by their group.
        user = "User www-data\nGroup root" if os.geteuid() == 0 else ""
        server.home.chmod(0o710)
        server.data.chmod(0o750)
        (self.home / "apache.conf").write_text(CONFIGURATION.format(
            home=self.home, port=self.port, modules=modules, user=user, host=self.configure(),
            server=self.server_lines()))
        self.process = subprocess.Popen([APACHE, "-f", str(self.home / "apache.conf"), "-D", "FOREGROUND"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=os.environ | {"TZ": "UTC"})
        until(self.is_up, "Apache", 20)

    def modules(self):
        return "mpm_event authz_core env setenvif headers unique_id alias dir mime proxy proxy_fcgi buffer reqtimeout xsendfile"

    def server_lines(self):
        """The directives outside the virtual host."""
        return ""

    def configure(self):
        """The directives inside the virtual host."""
        text = (BUILD / "share/apache/locations.conf").read_text()
        for old, new in (("/run/okul", f"{self.server.data}/run"), ("/var/lib/okul", self.server.data),
                         ("/usr/local/lib/okul/share", f"{BUILD}/share")):
            assert old in text, old
            text = text.replace(old, str(new))
        (self.home / "locations.conf").write_text(text)
        return f"{log_lines(self.home)}\n\tInclude {self.home}/locations.conf"

    def is_up(self):
        assert self.process.poll() is None, f"Apache ended: {self.process.stderr.read().decode()}{self.log()}"
        return (self.home / "pid").exists() and self.server.listens(self.port)

    def stop(self):
        self.process.terminate()
        self.process.stderr.close()
        self.process.wait(30)

    def log(self):
        """Its error log and access log."""
        return "".join(path.read_text() for path in self.home.glob("*.log"))

"""Three database machines: etcd, Patroni and PostgreSQL on each, configured by the files of conf/cluster."""

import getpass
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import urllib.request
from pathlib import Path

from network import children, is_alive, kill, until

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf/cluster"
POSTGRES = Path("/usr/lib/postgresql/15/bin")
# PostgreSQL does not run as root.
USER = "postgres" if os.geteuid() == 0 else getpass.getuser()
PASSWORDS = {"REPLICATION-PASSWORD": "replication-of-a-test", "REWIND-PASSWORD": "rewind-of-a-test"}
PASSWORD = "okul-of-a-test"


def changed(text, changes):
    """A file of conf/cluster with other values; each has to be there, so that the tests run what is shipped."""
    for old, new in changes:
        if old not in text:
            raise SystemExit(f"conf/cluster has no {old!r} any more")
        text = text.replace(old, new)
    return text


def settings(text):
    """The lines NAME=VALUE of a file for systemd."""
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.M))


def own(path):
    if os.geteuid() == 0:
        shutil.chown(path, USER, USER)


def certificates(network):
    """Each machine's folder `ssl`, as /etc/ssl/okul."""
    folder = network.home / "certificates"
    machines = [f"{m.name}={m.address}" for m in network.machines.values()]
    subprocess.run([CONF / "certificates.sh", folder, *machines], check=True, capture_output=True)
    for machine in network.machines.values():
        shutil.copytree(folder / machine.name, machine.home / "ssl")
        (machine.home / "ssl").chmod(0o755)
        (machine.home / "ssl/machine.key").chmod(0o600)
        for file in (machine.home / "ssl").iterdir():
            own(file)


class Node:
    """One database machine. `changes` are of patroni.yml, (old, new)."""

    def __init__(self, machine, *changes):
        self.machine, self.name, self.home = machine, machine.name, machine.home
        self.etcd = self.patroni = None
        own(self.home)
        for name in ("etcd", "run", "data", "spool"):
            (self.home / name).mkdir(mode=0o700)
            own(self.home / name)
        self.etcd_environment = settings(self.file("etcd", [
            ("ETCD_NAME=db1", f"ETCD_NAME={self.name}"), ("URLS=https://192.0.2.11", f"URLS=https://{machine.address}"),
            ("/var/lib/etcd/okul", f"{self.home}/etcd/data"), ("/etc/ssl/okul", f"{self.home}/ssl")]))
        self.write("pgbackrest.conf", self.file("pgbackrest.conf", [
            ("/var/lib/postgresql/15/okul", f"{self.home}/data"), ("/var/run/postgresql", f"{self.home}/run"),
            ("/var/spool/pgbackrest", f"{self.home}/spool"), ("/var/log/pgbackrest", f"{self.home}/spool"),
            ("/var/lib/pgbackrest", f"{machine.network.home}/backup"), ("pg1-user=postgres", f"pg1-user={USER}")]))
        # of archive_command
        self.backup_environment = {"PGBACKREST_CONFIG": f"{self.home}/pgbackrest.conf"}
        self.write("patroni.yml", self.file("patroni.yml", [
            ("name: db1", f"name: {self.name}"), ("listen: 192.0.2.11", f"listen: {machine.address}"),
            ("connect_address: 192.0.2.11", f"connect_address: {machine.address}"),
            ("/var/lib/postgresql/15/okul", f"{self.home}/data"), ("/var/lib/postgresql/patroni.pgpass", f"{self.home}/run/pgpass"),
            ("/var/run/postgresql", f"{self.home}/run"), ("/etc/ssl/okul", f"{self.home}/ssl"),
            ("local all postgres peer", f"local all {USER} peer"), ("username: postgres", f"username: {USER}"),
            # a small machine, and never a reset of this one
            ("shared_buffers: 1GB", "shared_buffers: 128MB"), ("mode: automatic", "mode: 'off'"), *PASSWORDS.items(), *changes]))

    def file(self, name, changes):
        return self.machine.network.text(changed((CONF / name).read_text(), changes))

    def write(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        own(path)
        return path

    def start_etcd(self):
        self.etcd = self.machine.popen(["etcd"], USER, "etcd.log", env=os.environ | self.etcd_environment)

    def start(self):
        if self.etcd is None or self.etcd.poll() is not None:
            self.start_etcd()
        self.patroni = self.machine.popen(["patroni", self.home / "patroni.yml"], USER, "patroni.log",
                                          env=os.environ | self.backup_environment)

    def postmaster(self):
        """Its process id; 0 when it does not run."""
        try:
            pid = int((self.home / "data/postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return 0
        return pid if is_alive(pid) else 0

    def crash(self, etcd=False):
        """kill -9 of Patroni and of all processes of PostgreSQL, and of etcd where the whole machine is meant to die."""
        pid = self.postmaster()
        victims = [self.patroni.pid, pid, *children(pid)] if pid else [self.patroni.pid]
        victims += [self.etcd.pid] if etcd else []
        kill(victims)
        self.patroni.wait(10)
        if etcd:
            self.etcd.wait(10)
        until(lambda: not any(map(is_alive, victims)), "the killed processes to be gone")

    def crash_postgres(self):
        """kill -9 of PostgreSQL alone; Patroni goes on."""
        pid = self.postmaster()
        victims = [pid, *children(pid)]
        kill(victims)
        until(lambda: not any(map(is_alive, victims)), "the killed processes to be gone")

    def psql(self, script, database="postgres"):
        """Runs SQL, or a file of SQL (a Path), as the superuser, by the machine's own socket."""
        return self.machine.run([POSTGRES / "psql", "-h", self.home / "run", "-U", USER, "-d", database, "-XqAt", "-v", "ON_ERROR_STOP=1",
                                 "-f" if isinstance(script, Path) else "-c", script], USER)


    def pgbackrest(self, *words):
        return self.machine.run(["pgbackrest", "--stanza=okul", *words], USER, env=os.environ | self.backup_environment)


class Cluster:
    def __init__(self, network, nodes):
        self.network, self.nodes = network, nodes
        (network.home / "backup").mkdir(mode=0o700)
        own(network.home / "backup")
        self.tls = ssl.create_default_context(cafile=network.home / "certificates/ca.crt")

    def start(self):
        for node in self.nodes.values():
            node.start_etcd()
        for node in self.nodes.values():
            node.start()
        until(self.is_up, "the cluster to be complete", 60)

    def is_up(self):
        """As is_whole(), and fails at once when a process ended that should run."""
        for node in self.nodes.values():
            for process, log in ((node.etcd, "etcd.log"), (node.patroni, "patroni.log")):
                if process.poll() is not None:
                    raise RuntimeError(f"{node.name} ended: " + (node.home / log).read_text()[-1000:])
        return self.is_whole()

    def members(self, node):
        """{name: member} as the Patroni of a node reports them; {} when it does not. A member has role, state, lag, timeline."""
        try:
            with urllib.request.urlopen(f"https://{node.machine.address}:8008/cluster", timeout=2, context=self.tls) as answer:
                return {member["name"]: member for member in json.load(answer)["members"]}
        except (OSError, ValueError):
            return {}

    def primary(self):
        """The node that answers GET /primary; None when there is none."""
        for node in self.nodes.values():
            try:
                with urllib.request.urlopen(f"https://{node.machine.address}:8008/primary", timeout=2, context=self.tls):
                    return node
            except OSError:
                continue
        return None

    def is_whole(self):
        """The primary says so of itself, of a synchronous standby, and of all others: in step, on its timeline. (A machine that was
        cut off would still say what it knew before.)"""
        primary = self.primary()
        members = self.members(primary) if primary else {}
        leader = members.get(primary and primary.name)
        others = [member for member in members.values() if member is not leader]
        return (len(members) == len(self.nodes) and leader["role"] == "leader" and any(m["role"] == "sync_standby" for m in others) and
                all(m["state"] in ("running", "streaming") and m.get("timeline") == leader["timeline"] and m.get("lag") == 0 for m in others))

    def synchronous(self):
        """The node that is the synchronous standby."""
        members = self.members(self.primary())
        return self.nodes[next(name for name, member in members.items() if member["role"] == "sync_standby")]

    def restored(self, sql):
        """Backs the database up, restores the backup into a folder beside it, and returns what the copy answers."""
        node = self.primary()
        before = node.psql(sql, "okul")
        node.pgbackrest("--type=full", "backup")
        node.psql("SELECT pg_switch_wal()")
        copy, run = node.home / "restored", node.home / "restored-run"
        for folder in (copy, run):
            folder.mkdir(mode=0o700)
            own(folder)
        node.pgbackrest(f"--pg1-path={copy}", "--archive-mode=off", "restore")
        server = node.machine.popen([POSTGRES / "postgres", "-D", copy, "-c", "listen_addresses=", "-c", f"unix_socket_directories={run}",
                                     "-c", f"hba_file={node.home}/data/pg_hba.conf"], USER, "restored.log",
                                    env=os.environ | node.backup_environment)

        def answer(text, database="okul"):
            return node.machine.run([POSTGRES / "psql", "-h", run, "-U", USER, "-d", database, "-XqAtc", text], USER, check=False)
        until(lambda: answer("SELECT pg_is_in_recovery()") == "f\n", "the restored copy", 120)
        after = answer(sql)
        server.send_signal(signal.SIGINT)
        server.wait(60)
        return before, after

    def prepare(self):
        """The archive, the two roles and the database of okul."""
        primary = self.primary()
        primary.pgbackrest("stanza-create")
        primary.psql(f"CREATE ROLE okul_migrate LOGIN PASSWORD '{PASSWORD}'")
        primary.psql(f"CREATE ROLE okul LOGIN PASSWORD '{PASSWORD}'")
        primary.psql("CREATE DATABASE okul OWNER okul_migrate ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0")
        primary.psql(ROOT / "conf/postgres/roles.sql", "okul")
        # libpq asks the hosts in turn, and ends at one that does not know the database or the role yet.
        until(lambda: all(node.psql("SELECT count(*) FROM pg_database WHERE datname = 'okul'") == "1\n" for node in self.nodes.values()),
              "the database on all machines")

    def address(self, role="okul", machine="app1", **options):
        """The URL of the database as okul.conf has it on an application machine."""
        hosts = ",".join(node.machine.address for node in self.nodes.values())
        options = {"target_session_attrs": "read-write", "sslmode": "verify-full",
                   "sslrootcert": self.network.machines[machine].home / "ssl/ca.crt"} | options
        return f"postgresql://{role}:{PASSWORD}@{hosts}/okul?" + "&".join(f"{k}={v}" for k, v in options.items())

    def stop(self):
        """As an administrator would: Patroni stops PostgreSQL."""
        for node in self.nodes.values():
            if node.patroni and node.patroni.poll() is None:
                node.patroni.send_signal(signal.SIGTERM)
        for node in self.nodes.values():
            if node.patroni:
                try:
                    node.patroni.wait(30)
                except subprocess.TimeoutExpired:
                    pass

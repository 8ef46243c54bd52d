"""Machines of a test: network namespaces on one bridge, each with an address of 192.0.2.0/24 and no way out. Without root,
or where namespaces are not permitted, addresses of 127.0.2.0/24 in the one namespace that there is."""

import ctypes
import os
import re
import signal
import subprocess
import time
from pathlib import Path

CLONE_NEWNET = 0x40000000
DOCUMENTED = "192.0.2."     # of the files in conf/cluster; reserved for examples (RFC 5737)
LOCAL = "127.0.2."
libc = ctypes.CDLL(None, use_errno=True)


def until(condition, what, seconds=60, pause=0.1):
    """Waits until condition() returns a true value, and returns it. `what` may be a function, for what is known only then."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"timeout waiting for {what() if callable(what) else what}")
        time.sleep(pause)


def ip(*arguments, check=True):
    done = subprocess.run(["ip", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid):
    """All processes below one, without it."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            direct = [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in direct:
            found += [child, *children(child)]
    return found


def kill(pids, number=signal.SIGKILL):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class Machine:
    """One machine. Its processes are started by popen() and end with the network at the latest."""

    def __init__(self, network, name, number):
        self.network, self.name, self.address = network, name, f"{network.prefix}{number}"
        self.space = f"{network.name}-{name}" if network.real else None
        self.home = network.home / name
        self.home.mkdir(mode=0o755)
        self.processes = []

    def command(self, command, user=None):
        """The command as it runs on this machine, as a user of the system where root starts it. The process id stays."""
        prefix = ["nsenter", f"--net=/run/netns/{self.space}", "--"] if self.space else []
        if user and os.geteuid() == 0:
            # libpq reads files in HOME
            prefix += ["env", f"HOME={self.home}", "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        return prefix + [str(word) for word in command]

    def popen(self, command, user=None, log="log", **options):
        """Starts a process in a session of its own; its output goes to a file in the machine's folder."""
        with open(self.home / log, "ab") as file:
            process = subprocess.Popen(self.command(command, user), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                       cwd="/", start_new_session=True, **options)
        self.processes.append(process)
        return process

    def run(self, command, user=None, check=True, **options):
        """Runs a command to its end, and returns what it printed."""
        done = subprocess.run(self.command(command, user), stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", check=False,
                              **options)
        if check and done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, command))}: {done.stdout}{done.stderr}")
        return done.stdout

    def succeeds(self, command, user=None):
        return subprocess.run(self.command(command, user), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0

    def enter(self):
        """The calling thread is on this machine from now on."""
        if self.space:
            with open(f"/run/netns/{self.space}", encoding="ascii") as space:
                if libc.setns(space.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")

    def connect(self):
        """Both ends of its cable are there: `wire` here, and one with the name of the machine in the switch."""
        ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", "wire")
        ip("-n", self.space, "link", "set", "wire", "up")
        ip("-n", self.network.switch, "link", "set", self.name, "up")
        self.join()

    def cut(self):
        """Nothing leaves this machine or reaches it, and neither end is told."""
        ip("-n", self.network.switch, "link", "set", self.name, "nomaster")

    def join(self):
        ip("-n", self.network.switch, "link", "set", self.name, "master", "bridge")

    def pids(self):
        """All that runs on this machine, also what its processes left behind; never this process."""
        if self.space:
            found = [int(pid) for pid in ip("netns", "pids", self.space, check=False).stdout.split()]
        else:
            found = [pid for process in self.processes if process.poll() is None for pid in (process.pid, *children(process.pid))]
            found += self.network.adopted(self)
        return [pid for pid in found if pid != os.getpid()]


class Network:
    def __init__(self, home):
        self.home, self.machines, self.cables = Path(home), {}, []
        self.name = f"okul-{os.getpid()}"
        self.switch = f"{self.name}-switch"
        self.real = self.permitted()
        self.prefix = DOCUMENTED if self.real else LOCAL

    def permitted(self):
        """Makes the bridge, in a namespace of its own, so that this machine's network stays as it is."""
        if os.geteuid() != 0:
            return False
        self.remove_stale()
        if ip("netns", "add", self.switch, check=False).returncode != 0:
            return False
        done = ip("-n", self.switch, "link", "add", "bridge", "type", "bridge", check=False)
        if done.returncode != 0:
            ip("netns", "del", self.switch)
            return False
        ip("-n", self.switch, "link", "set", "bridge", "up")
        return True

    @staticmethod
    def remove_stale():
        """Removes what a run left behind that was killed."""
        for line in ip("netns", "list", check=False).stdout.splitlines():
            space = line.split()[0]
            owner = space.split("-")[1] if space.startswith("okul-") and space.count("-") == 2 else ""
            if owner.isdigit() and not is_alive(int(owner)):
                kill(int(pid) for pid in ip("netns", "pids", space, check=False).stdout.split())
                ip("netns", "del", space, check=False)

    def add(self, name, number):
        machine = self.machines[name] = Machine(self, name, number)
        if self.real:
            ip("netns", "add", machine.space)
            ip("-n", machine.space, "link", "set", "lo", "up")
            ip("-n", machine.space, "link", "add", "wire", "type", "veth", "peer", "name", name, "netns", self.switch)
            machine.connect()
        return machine

    def delay(self, program, milliseconds):
        """What leaves a machine takes so long from now on: other cables, whose ends are held by a process of tests/bench/delay.c, since
        not every kernel has netem."""
        for machine in self.machines.values():
            ip("-n", machine.space, "link", "del", "wire")
        words = [word for machine in self.machines.values() for word in (machine.name, machine.space)]
        process = subprocess.Popen([program, str(round(milliseconds * 1000)), self.switch, *words], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, start_new_session=True)
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{program} ended with {process.wait()}")
        self.cables.append(process)
        for machine in self.machines.values():
            machine.connect()

    def text(self, text):
        """A text of conf/cluster with the addresses of this network. Without namespaces all connections come from 127.0.0.1."""
        if not self.real:
            text = re.sub(rf"{re.escape(DOCUMENTED)}\d+/32", "127.0.0.1/32", text)
        return text.replace(DOCUMENTED, self.prefix)

    def adopted(self, machine):
        """Without namespaces: processes that left their parent, found by the folder that they were started with."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if f"{machine.home}/".encode() in words:
                found.append(int(folder.name))
        return found

    def pids(self):
        return [pid for machine in self.machines.values() for pid in machine.pids()]

    def remove(self):
        """Ends every process, then removes the namespaces. Safe to call twice."""
        for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 10)):
            kill(self.pids(), number)
            end = time.monotonic() + seconds
            while self.pids() and time.monotonic() < end:
                for machine in self.machines.values():
                    for process in machine.processes:
                        process.poll()
                time.sleep(0.05)
        for machine in self.machines.values():
            for process in machine.processes:
                process.wait(10)
        for cable in self.cables:
            cable.stdin.close()
            cable.wait(10)
        if self.real:
            for space in [m.space for m in self.machines.values()] + [self.switch]:
                ip("netns", "del", space, check=False)
        self.machines = {}
